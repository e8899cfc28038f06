#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "mobula/store/spill/spill_config.hpp"
#include "mobula/store/spill/spill_directories.hpp"
#include "mobula/store/spill/spill_effects.hpp"
#include "mobula/store/spill/spill_files.hpp"
#include "mobula/store/spill/spill_objects.hpp"
#include "mobula/store/spill/write_quota.hpp"

namespace mobula {

/// The moves of a `spill_table`: how the live records of mostly dead files get to others, so that
/// those files can go.
class spill_moves {
public:
  /// REQUIRES: all outlive this.
  spill_moves(const spill_config& config, spill_objects& objects, spill_files& files,
              spill_directories& directories, write_quota& quota, spill_stats& counters)
    : config_(config), objects_(objects), files_(files), directories_(directories), quota_(quota),
      counters_(counters) {
    // nop
  }

  spill_moves(const spill_moves&) = delete;
  spill_moves& operator=(const spill_moves&) = delete;

  /// Starts a move if there is one to start. Returns whether it did.
  [[nodiscard]] bool start_next(spill_effects& effects);

  void ended(spill_batch_id id, const move_outcome& outcome, spill_effects& effects);

  // -- properties ---------------------------------------------------------------------------------

  /// Moves under way.
  [[nodiscard]] std::size_t count() const noexcept {
    return moves_.size();
  }

  /// What they write.
  [[nodiscard]] std::uint64_t bytes() const noexcept;

private:
  struct move {
    spill_file_id from{};
    spill_file_id file{};
    std::uint64_t bytes = 0;
    std::vector<moving_record> records;
  };

  void start(spill_file_id from, spill_directory where, spill_effects& effects);
  [[nodiscard]] move take(spill_batch_id id);
  void finish_record(const move& ended, const moving_record& record);
  void release_source(spill_file_id id, const move_outcome& outcome, spill_effects& effects);

  const spill_config& config_;
  spill_objects& objects_;
  spill_files& files_;
  spill_directories& directories_;
  write_quota& quota_;
  spill_stats& counters_;
  std::unordered_map<spill_batch_id, move> moves_;
};

} // namespace mobula

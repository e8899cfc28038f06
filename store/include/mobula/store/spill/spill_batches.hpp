#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <vector>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/spill/spill_config.hpp"
#include "mobula/store/spill/spill_directories.hpp"
#include "mobula/store/spill/spill_effects.hpp"
#include "mobula/store/spill/spill_files.hpp"
#include "mobula/store/spill/spill_objects.hpp"
#include "mobula/store/spill/write_quota.hpp"

namespace mobula {

/// Spills on their way to disk: the pinned objects, in the order in which they are to be written,
/// and the writes that are under way. Part of `spill_table`.
class spill_batches {
public:
  struct batch {
    spill_file_id file{};
    std::uint64_t bytes = 0;
    std::vector<batch_record> records;
  };

  /// REQUIRES: all outlive this.
  spill_batches(const spill_config& config, spill_objects& objects, spill_files& files,
                spill_directories& directories, write_quota& quota)
    : config_(config), objects_(objects), files_(files), directories_(directories), quota_(quota) {
    // nop
  }

  spill_batches(const spill_batches&) = delete;
  spill_batches& operator=(const spill_batches&) = delete;

  // -- the queue ----------------------------------------------------------------------------------

  /// The object is pinned from now on, behind all others.
  void queue_last(const object_id& id, spill_entry& entry);

  /// The object is pinned from now on, before all others.
  void queue_first(const object_id& id, spill_entry& entry);

  /// REQUIRES: pinned.
  void dequeue(spill_entry& entry);

  /// Returns whose turn it is, and takes it from the queue. REQUIRES: somebody waits.
  object_id take_first();

  /// Returns all that wait, in their order, and empties the queue.
  std::list<object_id> take_queue();

  // -- writes -------------------------------------------------------------------------------------

  /// Writes those whose turn it is, as many as one write takes. REQUIRES: somebody waits.
  void start(spill_directory where, spill_effects& effects);

  /// The write has ended. Returns what it was.
  batch take(spill_batch_id id);

  // -- properties ---------------------------------------------------------------------------------

  /// Returns whether nobody waits.
  [[nodiscard]] bool queue_empty() const noexcept {
    return queue_.empty();
  }

  /// The size of the first one's record. REQUIRES: somebody waits.
  [[nodiscard]] std::uint64_t first_bytes() const {
    return objects_.get(queue_.front(), spill_place::pinned).record_bytes;
  }

  /// Returns whether a batch would be small and a write under way promises another look.
  [[nodiscard]] bool worth_waiting() const;

  /// Writes under way.
  [[nodiscard]] std::size_t count() const noexcept {
    return batches_.size();
  }

  /// Fills in what is pinned and what is being written.
  void add_to(spill_stats& stats) const;

private:
  void queue(std::list<object_id>::iterator before, const object_id& id, spill_entry& entry);

  const spill_config& config_;
  spill_objects& objects_;
  spill_files& files_;
  spill_directories& directories_;
  write_quota& quota_;
  std::list<object_id> queue_; ///< exactly the pinned objects
  std::uint64_t pinned_bytes_ = 0;
  std::unordered_map<spill_batch_id, batch> batches_;
};

} // namespace mobula

#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <vector>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/spill/spill_config.hpp"
#include "mobula/store/spill/spill_effects.hpp"
#include "mobula/store/spill/spill_files.hpp"
#include "mobula/store/spill/spill_objects.hpp"

namespace mobula {

/// Records on their way back from disk: those that wait for a read, in order of arrival, and the
/// reads under way. Part of `spill_table`.
class spill_reads {
public:
  /// REQUIRES: all outlive this.
  spill_reads(const spill_config& config, spill_objects& objects, spill_files& files)
    : config_(config), objects_(objects), files_(files) {
    // nop
  }

  spill_reads(const spill_reads&) = delete;
  spill_reads& operator=(const spill_reads&) = delete;

  /// The object waits for a read. REQUIRES: it has a record, and nothing is under way with it.
  void queue(const object_id& id, spill_entry& entry);

  /// REQUIRES: read-queued.
  void dequeue(const spill_entry& entry);

  /// Starts as many reads as may run.
  void dispatch(spill_effects& effects);

  /// Counts one record's answer. The read makes way for another when all of its records have
  /// theirs.
  spill_entry& end(const object_id& id);

  /// Asserts that so many objects are read-queued and so many are being read, and that none waits
  /// without need.
  void check_invariants(std::size_t queued, std::size_t reading) const;

private:
  void start(const object_id& first, spill_effects& effects);
  [[nodiscard]] std::vector<record_to_read> readable_from(const object_id& first);

  const spill_config& config_;
  spill_objects& objects_;
  spill_files& files_;
  std::list<object_id> queue_; ///< exactly the read-queued objects
  /// Reads under way, at most `max_reads`, and how many of their records were not answered yet.
  std::unordered_map<spill_read_id, std::size_t> reads_;
  std::uint64_t named_ = 0;
};

} // namespace mobula

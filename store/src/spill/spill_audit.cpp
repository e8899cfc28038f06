// What the spill manager tells about itself, and the proof that it adds up.

#include <algorithm>

#include "mobula/store/spill/spill_table.hpp"

namespace mobula {

std::optional<spill_location> spill_table::location_of(const object_id& id) const {
  auto known = objects_.find(id);
  if (known == objects_.end() || known->second.freed || known->second.where == place::pinned
      || known->second.where == place::spilling)
    return std::nullopt;
  return known->second.location;
}

bool spill_table::awaits_retry() const noexcept {
  return files_.failed_deletions() > 0 || directories_.set_aside() > 0;
}

spill_stats spill_table::stats() const {
  auto result = counters_;
  result.pinned_objects = write_queue_.size();
  result.pinned_bytes = pinned_bytes_;
  for (const auto& [id, entry] : batches_)
    result.spilling_objects += entry.records.size();
  result.spilling_bytes = writing_bytes_;
  result.spilled_objects = files_.live_records();
  result.live_bytes = files_.live_bytes();
  result.dead_bytes = files_.bytes() - files_.live_bytes();
  result.files = files_.count();
  result.directories_set_aside += directories_.set_aside();
  return result;
}

void spill_table::check_invariants() const {
  check_objects();
  files_.check_invariants(writes_under_way());
  std::uint64_t writing_bytes = 0;
  for (const auto& [id, entry] : batches_)
    writing_bytes += entry.bytes;
  std::uint64_t moving_bytes = 0;
  for (const auto& [id, entry] : moves_)
    moving_bytes += entry.bytes;
  MOBULA_ASSERT(writing_bytes == writing_bytes_ && moving_bytes == moving_bytes_);
  MOBULA_ASSERT(writes_under_way() <= config_.max_writes && reads_.size() <= config_.max_reads);
  MOBULA_ASSERT(config_.spill_limit_bytes == 0
                || files_.bytes() + writing_bytes_ + moving_bytes_ <= config_.spill_limit_bytes);
  MOBULA_ASSERT(read_queue_.empty() || reads_.size() == config_.max_reads);
  // A caller that waits for a write waits for an event that is sure to come.
  MOBULA_ASSERT(write_queue_.empty() || writes_under_way() > 0 || files_.deletions() > 0);
}

void spill_table::check_objects() const {
  struct {
    std::uint64_t live_bytes = 0;
    std::size_t live_records = 0;
    std::uint64_t pinned_bytes = 0;
    std::size_t pinned = 0;
    std::size_t spilling = 0;
    std::size_t read_queued = 0;
    std::size_t reading = 0;
  } sum;
  for (const auto& [id, entry] : objects_) {
    sum.pinned += entry.where == place::pinned ? 1 : 0;
    sum.spilling += entry.where == place::spilling ? 1 : 0;
    sum.read_queued += entry.where == place::read_queued ? 1 : 0;
    sum.reading += entry.where == place::reading ? 1 : 0;
    if (entry.where == place::pinned)
      sum.pinned_bytes += entry.record_bytes;
    MOBULA_ASSERT(!entry.freed || entry.where == place::spilling || entry.where == place::reading);
    if (entry.freed || entry.where == place::pinned || entry.where == place::spilling)
      continue;
    ++sum.live_records;
    sum.live_bytes += entry.record_bytes;
    MOBULA_ASSERT(entry.location.offset_bytes + entry.record_bytes
                  <= files_.size_of(entry.location.file));
  }
  std::size_t in_batches = 0;
  for (const auto& [id, entry] : batches_)
    in_batches += entry.records.size();
  MOBULA_ASSERT(sum.live_bytes == files_.live_bytes() && sum.live_records == files_.live_records());
  MOBULA_ASSERT(sum.pinned == write_queue_.size() && sum.pinned_bytes == pinned_bytes_);
  std::size_t in_reads = 0;
  for (const auto& [id, unanswered] : reads_)
    in_reads += unanswered;
  MOBULA_ASSERT(sum.read_queued == read_queue_.size() && sum.reading == in_reads);
  MOBULA_ASSERT(sum.spilling == in_batches);
}

} // namespace mobula

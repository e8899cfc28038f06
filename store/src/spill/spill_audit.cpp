// What the spill manager tells about itself, and the proof that it adds up.

#include "mobula/store/spill/spill_table.hpp"

namespace mobula {

namespace {

/// What the objects say that the other parts know, too.
struct object_sums {
  std::uint64_t live_bytes = 0;
  std::size_t live_records = 0;
  std::uint64_t pinned_bytes = 0;
  std::size_t pinned = 0;
  std::size_t spilling = 0;
  std::size_t read_queued = 0;
  std::size_t reading = 0;
};

object_sums sums_of(const spill_objects& objects, const spill_files& files) {
  object_sums sum;
  for (const auto& [id, entry] : objects.all()) {
    sum.pinned += entry.where == spill_place::pinned ? 1 : 0;
    sum.spilling += entry.where == spill_place::spilling ? 1 : 0;
    sum.read_queued += entry.where == spill_place::read_queued ? 1 : 0;
    sum.reading += entry.where == spill_place::reading ? 1 : 0;
    if (entry.where == spill_place::pinned)
      sum.pinned_bytes += entry.record_bytes;
    MOBULA_ASSERT(!entry.freed || entry.where == spill_place::spilling
                  || entry.where == spill_place::reading);
    if (!entry.has_record())
      continue;
    ++sum.live_records;
    sum.live_bytes += entry.record_bytes;
    MOBULA_ASSERT(entry.location.offset_bytes + entry.record_bytes
                  <= files.size_of(entry.location.file));
  }
  return sum;
}

} // namespace

bool spill_table::awaits_retry() const noexcept {
  return files_.failed_deletions() > 0 || directories_.set_aside() > 0;
}

spill_stats spill_table::stats() const {
  auto result = counters_;
  batches_.add_to(result);
  result.spilled_objects = files_.live_records();
  result.live_bytes = files_.live_bytes();
  result.dead_bytes = files_.bytes() - files_.live_bytes();
  result.files = files_.count();
  result.directories_set_aside = directories_.set_aside();
  result.write_errors = directories_.write_errors();
  return result;
}

void spill_table::check_invariants() const {
  auto sum = sums_of(objects_, files_);
  spill_stats writes;
  batches_.add_to(writes);
  MOBULA_ASSERT(sum.live_bytes == files_.live_bytes() && sum.live_records == files_.live_records());
  MOBULA_ASSERT(sum.pinned == writes.pinned_objects && sum.pinned_bytes == writes.pinned_bytes);
  MOBULA_ASSERT(sum.spilling == writes.spilling_objects);
  reads_.check_invariants(sum.read_queued, sum.reading);
  files_.check_invariants(quota_.writes_under_way());
  quota_.check_invariants(batches_.count() + moves_.count(),
                          writes.spilling_bytes + moves_.bytes());
  // A caller that waits for a write waits for an event that is sure to come.
  MOBULA_ASSERT(batches_.queue_empty() || quota_.writes_under_way() > 0 || files_.deletions() > 0);
}

} // namespace mobula

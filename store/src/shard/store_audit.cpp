// What a store tells about itself, and the proof that it adds up.

#include <algorithm>
#include <utility>

#include "mobula/store/shard/store_table.hpp"

namespace mobula {

store_table_stats store_table::stats() const {
  auto result = counters_;
  for (auto where : {place::idle, place::asked, place::pinned}) {
    result.primary += tally_at(where, copy_kind::primary);
    result.secondary += tally_at(where, copy_kind::secondary);
  }
  result.unsealed = tally(place::unsealed);
  result.spilling = tally(place::spilling);
  result.doomed = tally(place::releasing);
  result.doomed += tally(place::doomed);
  result.restoring = tally(place::restoring);
  result.lent_bytes = lent_bytes_;
  result.used_bytes = used_bytes();
  result.capacity_bytes = config_.capacity_bytes;
  result.spilled = tally(place::spilled);
  result.spilled += tally(place::restore_waiting);
  result.waiting = tally(place::waiting);
  result.waiting += tally(place::restore_waiting);
  return result;
}

store_use store_table::use() const {
  auto bytes = [this](auto... places) {
    return (tally(places).bytes + ...);
  };
  return {.capacity_bytes = config_.capacity_bytes,
          .pinned_bytes = bytes(place::pinned, place::doomed),
          .kept_bytes = bytes(place::idle),
          .moving_bytes = bytes(place::asked, place::releasing, place::spilling),
          .making_bytes = bytes(place::unsealed, place::restoring),
          .lent_bytes = lent_bytes_};
}

void store_table::check_invariants() const {
  std::array<std::array<object_tally, 2>, place_count> sums{};
  std::size_t memory_bytes = 0;
  std::size_t tokens = 0;
  std::size_t listed = 0;
  for (const auto& [id, entry] : objects_) {
    MOBULA_ASSERT(entry.id == id);
    sums[static_cast<std::size_t>(entry.where)][static_cast<std::size_t>(entry.kind)].add(
      entry.size_bytes);
    if (in_memory(entry.where))
      memory_bytes += entry.size_bytes;
    if (entry.where == place::idle || in_queue(entry.where))
      ++listed;
    tokens += entry.readers.size() + (entry.where == place::waiting ? 1 : 0);
    check_object(entry);
  }
  MOBULA_ASSERT(sums == tallies_ && memory_bytes == memory_bytes_);
  MOBULA_ASSERT(used_bytes() <= config_.capacity_bytes);
  MOBULA_ASSERT(use().free_bytes() == free_bytes());
  MOBULA_ASSERT(tokens == requests_.size());
  for (auto list : {&store_table::queue_, &store_table::evictable_, &store_table::spillable_,
                    &store_table::set_aside_})
    for (const auto* entry = (this->*list).front(); entry != nullptr; entry = entry->next) {
      MOBULA_ASSERT(list_of(*entry) == list);
      MOBULA_ASSERT(entry->next == nullptr || list != &store_table::queue_
                    || entry->arrival < entry->next->arrival);
      --listed;
    }
  MOBULA_ASSERT(listed == 0);
  MOBULA_ASSERT(queue_.empty() || !fits(queue_.front()->size_bytes));
  MOBULA_ASSERT(!stall_ || !queue_.empty());
  MOBULA_ASSERT(stall_ || queue_.empty() || is_moving() || is_asking());
  MOBULA_ASSERT(!stall_ || !stall_->overdue || is_moving());
  MOBULA_ASSERT(!shutting_down_ || queue_.empty());
}

void store_table::check_object(const object& entry) const {
  auto ended = entry.where == place::releasing || entry.where == place::doomed;
  MOBULA_ASSERT(!ended || entry.released);
  MOBULA_ASSERT(!entry.released || entry.readers.empty());
  MOBULA_ASSERT(!entry.released || !entry.has_record);
  MOBULA_ASSERT(!entry.released || ended || entry.where == place::unsealed
                || entry.where == place::asked || entry.where == place::spilling
                || entry.where == place::restoring);
  MOBULA_ASSERT(!shutting_down_ || entry.released);
  auto on_disk = entry.where == place::spilled || entry.where == place::restore_waiting
                 || entry.where == place::restoring;
  MOBULA_ASSERT(!on_disk || entry.has_record || entry.released);
  MOBULA_ASSERT(!entry.has_record || entry.kind == copy_kind::primary);
  MOBULA_ASSERT(entry.where != place::restore_waiting || !entry.readers.empty());
  MOBULA_ASSERT(entry.readers.empty() || entry.where == place::waiting
                || entry.where == place::unsealed || entry.where == place::asked
                || entry.where == place::restore_waiting || entry.where == place::restoring);
  for (auto token : entry.readers)
    MOBULA_ASSERT(requests_.at(token) == entry.id);
  MOBULA_ASSERT(entry.overtaken_bytes <= entry.size_bytes);
}

} // namespace mobula

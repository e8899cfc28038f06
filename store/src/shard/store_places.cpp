// Which place of the store each object is in, in which list it stands there, and what that adds up
// to.

#include "mobula/store/shard/store_places.hpp"

#include <utility>

namespace mobula {

void store_places::enter(store_object& entry) {
  tally_of(entry).add(entry.size_bytes);
  if (entry.in_memory())
    memory_bytes_ += entry.size_bytes;
  if (entry.in_queue())
    enqueue(entry);
  else if (auto list = list_of(entry))
    (this->*list).push_back(entry);
}

void store_places::leave(store_object& entry) {
  tally_of(entry).remove(entry.size_bytes);
  if (entry.in_memory())
    memory_bytes_ -= entry.size_bytes;
  if (auto list = list_of(entry))
    (this->*list).remove(entry);
}

/// By arrival: one that comes back goes before those that came later. These are few: it was the
/// oldest, or within the window of those that may overtake.
void store_places::enqueue(store_object& entry) noexcept {
  auto* later = queue_.front();
  if (later == nullptr || queue_.back()->arrival < entry.arrival)
    return queue_.push_back(entry);
  while (later->arrival < entry.arrival)
    later = later->next;
  queue_.insert_before(*later, entry);
}

store_places::list_member store_places::list_of(const store_object& entry) const noexcept {
  if (entry.in_queue())
    return &store_places::queue_;
  if (entry.where != store_place::idle)
    return nullptr;
  if (entry.kind == copy_kind::secondary || entry.has_record)
    return &store_places::evictable_;
  return disk_.is_current(entry.set_aside_in) ? &store_places::set_aside_
                                              : &store_places::spillable_;
}

object_tally& store_places::tally_of(const store_object& entry) noexcept {
  return tallies_[static_cast<std::size_t>(entry.where)][static_cast<std::size_t>(entry.kind)];
}

void store_places::set_aside(store_object& entry, spill_round round) {
  leave(entry);
  entry.set_aside_in = round;
  enter(entry);
}

void store_places::return_set_aside() {
  auto aside = std::exchange(set_aside_, {});
  while (auto* entry = aside.back()) {
    aside.remove(*entry);
    (this->*list_of(*entry)).push_front(*entry);
  }
}

// -- properties -----------------------------------------------------------------------------------

object_tally store_places::tally(store_place where) const noexcept {
  auto sum = tally_at(where, copy_kind::primary);
  return sum += tally_at(where, copy_kind::secondary);
}

void store_places::check_invariants(const object_map& objects) const {
  tally_table sums{};
  std::size_t memory_bytes = 0;
  std::size_t listed = 0;
  for (const auto& [id, entry] : objects) {
    sums[static_cast<std::size_t>(entry.where)][static_cast<std::size_t>(entry.kind)].add(
      entry.size_bytes);
    if (entry.in_memory())
      memory_bytes += entry.size_bytes;
    if (list_of(entry) != nullptr)
      ++listed;
  }
  MOBULA_ASSERT(sums == tallies_ && memory_bytes == memory_bytes_);
  for (auto list : {&store_places::queue_, &store_places::evictable_, &store_places::spillable_,
                    &store_places::set_aside_})
    for (const auto* entry = (this->*list).front(); entry != nullptr; entry = entry->next) {
      MOBULA_ASSERT(list_of(*entry) == list);
      MOBULA_ASSERT(entry->next == nullptr || list != &store_places::queue_
                    || entry->arrival < entry->next->arrival);
      --listed;
    }
  MOBULA_ASSERT(listed == 0);
}

} // namespace mobula

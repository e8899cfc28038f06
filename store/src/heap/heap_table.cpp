// Where items of the heap are, and what brings them from one state to the next.

#include "mobula/store/heap/heap_table.hpp"

#include <utility>

namespace mobula {

void heap_table::made(heap_item& item, std::size_t size_bytes) {
  MOBULA_ASSERT(item.state != heap_state::leaving);
  gone(item);
  item.size_bytes = size_bytes;
  item.spared_in = 0;
  item.unpin_hint = false;
  move(item, heap_state::idle);
}

void heap_table::gone(heap_item& item) {
  if (item.state != heap_state::out)
    move(item, heap_state::out);
}

void heap_table::spare(heap_item& item) {
  MOBULA_ASSERT(item.state == heap_state::idle);
  item.spared_in = spell_;
  move(item, heap_state::idle);
}

void heap_table::found_pinned(heap_item& item) {
  MOBULA_ASSERT(item.state == heap_state::idle);
  move(item, heap_state::pinned);
}

void heap_table::leave(heap_item& item) {
  MOBULA_ASSERT(item.state == heap_state::idle);
  item.unpin_hint = false;
  move(item, heap_state::leaving);
}

void heap_table::stays_pinned(heap_item& item) {
  MOBULA_ASSERT(item.state == heap_state::leaving);
  move(item, std::exchange(item.unpin_hint, false) ? heap_state::idle : heap_state::pinned);
}

void heap_table::stays_refused(heap_item& item) {
  MOBULA_ASSERT(item.state == heap_state::leaving);
  move(item, heap_state::refused);
}

void heap_table::unpinned(heap_item& item) {
  if (item.state == heap_state::leaving)
    item.unpin_hint = true;
  else if (item.state == heap_state::pinned)
    move(item, heap_state::idle);
}

/// The last one refused goes first to the front, so that the order stays as it was.
void heap_table::retry_refused() {
  while (auto* item = refused_.back()) {
    move(*item, heap_state::idle);
    idle_.remove(*item);
    idle_.push_front(*item);
  }
}

void heap_table::move(heap_item& item, heap_state to) {
  auto& from = item.state;
  if (from == heap_state::idle)
    idle_.remove(item);
  else if (from == heap_state::refused)
    refused_.remove(item);
  if (from != heap_state::out)
    tallies_[static_cast<std::size_t>(from)].remove(item.size_bytes);
  if (to == heap_state::idle)
    idle_.push_back(item);
  else if (to == heap_state::refused)
    refused_.push_back(item);
  if (to != heap_state::out)
    tallies_[static_cast<std::size_t>(to)].add(item.size_bytes);
  from = to;
}

void heap_table::check_invariants() const {
  for (auto [list, state] :
       {std::pair{&idle_, heap_state::idle}, std::pair{&refused_, heap_state::refused}}) {
    object_tally sum;
    for (const auto* item = list->front(); item != nullptr; item = item->next) {
      MOBULA_ASSERT(item->state == state);
      sum.add(item->size_bytes);
    }
    MOBULA_ASSERT(sum == tally(state));
  }
}

} // namespace mobula

// Publishes a shard's sealed objects to other processes and takes them back. What is used is known
// from ordinary memory: of what readers can write, only their own bits are believed.

#include "mobula/store/arena/object_table.hpp"

#include <algorithm>
#include <bit>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

/// Writes id, place and mark of a slot whose word is zero.
void describe(arena_slot& slot, const object_id& id, const arena_place& place) {
  // Relaxed: `slot_word::publish` releases them.
  slot.owner_high.store(id.owner.high, std::memory_order_relaxed);
  slot.owner_low.store(id.owner.low, std::memory_order_relaxed);
  slot.sequence.store(id.sequence, std::memory_order_relaxed);
  slot.data_offset.store(place.data.offset, std::memory_order_relaxed);
  slot.data_size.store(place.data.size, std::memory_order_relaxed);
  slot.metadata_size.store(place.metadata_size, std::memory_order_relaxed);
  slot.read_mark.store(0, std::memory_order_relaxed);
}

} // namespace

object_table::object_table(const arena_segment& arena, std::uint32_t shard)
  : heap_(arena.layout().heap), entries_(arena.layout().slots_per_shard) {
  auto bytes = arena.bytes(arena.layout().table_of(shard));
  // The zeros of a new arena are empty slots: see slot_word.hpp.
  slots_ = {reinterpret_cast<arena_slot*>(bytes.data()), entries_.size()};
}

slot_handle object_table::publish(const object_id& id, const arena_place& place) {
  MOBULA_ASSERT(!id.empty());
  MOBULA_ASSERT(is_well_formed(place, heap_));
  auto home = home_slot(id.sequence, entries_.size());
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(slot_window, entries_.size()); ++i) {
    auto index = (home + i) & (entries_.size() - 1);
    auto& slot = slots_[index];
    // An unused slot that is not empty was written to by a stranger; it stays out of use.
    if (entries_[index].state != slot_state::empty || !slot.word.empty())
      continue;
    describe(slot, id, place);
    slot.word.publish();
    entries_[index].id = id;
    set_state(entries_[index], slot_state::published);
    flip_neighbour(id, index);
    ++used_slots_;
    return slot_handle{static_cast<std::uint32_t>(index)};
  }
  ++publish_misses_;
  return no_slot;
}

pin_state object_table::look(slot_handle slot) {
  auto& entry = used_entry(slot);
  auto result = shared(slot).word.look();
  if (entry.state != slot_state::doomed)
    set_state(entry, result == pin_state::pinned ? slot_state::watched : slot_state::published);
  return result;
}

reclaim_result object_table::try_withdraw(slot_handle slot) {
  MOBULA_ASSERT(used_entry(slot).state != slot_state::doomed);
  return settle(slot, shared(slot).word.try_withdraw(), slot_state::watched);
}

reclaim_result object_table::doom(slot_handle slot) {
  return settle(slot, shared(slot).word.doom(), slot_state::doomed);
}

bool object_table::take_read_mark(slot_handle slot) {
  static_cast<void>(used_entry(slot));
  auto& mark = shared(slot).read_mark;
  // Relaxed, and not one step: a reader that comes between is noticed late or not at all, which
  // costs the object its place in an order, never its bytes.
  auto marked = mark.load(std::memory_order_relaxed) != 0;
  if (marked)
    mark.store(0, std::memory_order_relaxed);
  return marked;
}

std::vector<object_id> object_table::drained() {
  std::vector<object_id> result;
  if (awaited_ == 0)
    return result;
  for (std::size_t index = 0; index < entries_.size(); ++index) {
    auto state = entries_[index].state;
    if (state != slot_state::watched && state != slot_state::doomed)
      continue;
    if (look(slot_handle{static_cast<std::uint32_t>(index)}) == pin_state::idle)
      result.push_back(entries_[index].id);
  }
  return result;
}

bool object_table::has_readers() const noexcept {
  for (std::size_t index = 0; index < entries_.size(); ++index)
    if (entries_[index].state != slot_state::empty && slots_[index].word.readers() != reader_set{})
      return true;
  return false;
}

std::uint32_t object_table::count_readers(slot_handle slot) const noexcept {
  auto readers = static_cast<std::uint64_t>(readers_of(slot));
  return static_cast<std::uint32_t>(std::popcount(readers));
}

reader_set object_table::readers_of(slot_handle slot) const noexcept {
  return shared(slot).word.readers();
}

object_table::entry& object_table::used_entry(slot_handle slot) {
  MOBULA_ASSERT(static_cast<std::size_t>(slot) < entries_.size());
  auto& result = entries_[static_cast<std::size_t>(slot)];
  MOBULA_ASSERT(result.state != slot_state::empty);
  return result;
}

arena_slot& object_table::shared(slot_handle slot) const noexcept {
  return slots_[static_cast<std::size_t>(slot)];
}

void object_table::set_state(entry& of, slot_state state) noexcept {
  auto is_awaited = [](slot_state each) {
    return each == slot_state::watched || each == slot_state::doomed;
  };
  awaited_ -= is_awaited(of.state) ? 1 : 0;
  of.state = state;
  awaited_ += is_awaited(state) ? 1 : 0;
}

void object_table::flip_neighbour(const object_id& id, std::uint64_t index) {
  auto home = home_slot(id.sequence, entries_.size());
  auto distance = (index - home) & (entries_.size() - 1);
  entries_[home].neighbours ^= 1U << distance;
  slots_[home].neighbours.store(entries_[home].neighbours, std::memory_order_relaxed);
}

reclaim_result object_table::settle(slot_handle slot, reclaim_result result, slot_state if_pinned) {
  auto& entry = used_entry(slot);
  if (result == reclaim_result::pinned) {
    set_state(entry, if_pinned);
    return result;
  }
  flip_neighbour(entry.id, static_cast<std::uint64_t>(slot));
  entry.id = {};
  set_state(entry, slot_state::empty);
  --used_slots_;
  return result;
}

} // namespace mobula

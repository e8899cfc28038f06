// How values of the process heap come into a shard. They are readable all the time but while their
// bytes are copied; who comes then waits as for any object that is not here yet.

#include <utility>

#include "store_shard_state.hpp"

namespace mobula {

void store_shard_state::accept_from_heap(take_from_heap& request) {
  auto id = request.entry->id();
  auto size = request.copy->space_bytes();
  shard_slot held{std::move(request.copy), request.entry.get()};
  held.leaving_heap = std::move(request.entry);
  held.frees_before = core_->store_frees();
  auto fresh = slots_.emplace(id.sequence, std::move(held)).second;
  MOBULA_ASSERT(fresh);
  tell(&store_table::create, next_token(), id, size, copy_kind::primary);
  run();
}

/// There is space. From here on nobody can pin the value where it was.
void store_shard_state::move_from_heap(const object_id& id, shard_slot& held, arena_block memory) {
  auto unwanted = held.leaving_heap->has_failed();
  if (!unwanted && held.copy->pins.try_close())
    return move_in(held, std::move(memory));
  auto entry = std::move(held.leaving_heap);
  stays_in_heap(entry, unwanted ? heap_leave_end::kept : heap_leave_end::pinned);
  // In this order: who gets the space next finds the memory.
  memory = arena_block{};
  tell(&store_table::abort, id);
}

void store_shard_state::finish_leaving_heap(shard_slot& held, arena_block memory) {
  auto& copy = *held.copy;
  auto entry = std::move(held.leaving_heap);
  held.in_transfer = false;
  copy.memory = copy_memory{std::move(memory)};
  // Before readers: who pins it from here on has the shard's copy.
  copy.in_heap.store(false, std::memory_order_release);
  readers_->open(entry->id(), held);
  entry->stripe().moved_to_store(*entry.get());
  tell(&store_table::seal, entry->id());
  tell_keeper(heap_content::value, copy.size_bytes, heap_leave_end::left);
}

/// A value that waited in the process heap stays there if it is small enough for that, and the heap
/// has space for it by now. Returns whether it does.
bool store_shard_state::keep_in_heap(stored_copy& copy) {
  const auto& heap = core_->heap_limits();
  if (copy.size_bytes > core_->options().inline_limit_bytes
      || heap.used_bytes() > heap.limit_bytes())
    return false;
  copy.in_heap.store(true, std::memory_order_relaxed);
  copy.pins.reset();
  return true;
}

/// What can never have space, and what was freed, goes with its last reference.
void store_shard_state::refuse_leaving(const object_handle& entry, refusal reason,
                                       std::uint64_t frees) {
  auto for_good = reason == refusal::larger_than_store || reason == refusal::released;
  stays_in_heap(entry, for_good ? heap_leave_end::kept : heap_leave_end::refused, frees);
}

void store_shard_state::stays_in_heap(const object_handle& entry, heap_leave_end end,
                                      std::uint64_t frees) {
  entry->stripe().leave_ended(*entry.get(), heap_content::value, end);
  tell_keeper(heap_content::value, entry->copy()->size_bytes, end, frees);
}

void store_shard_state::tell_keeper(heap_content content, std::uint64_t bytes, heap_leave_end end,
                                    std::uint64_t frees) {
  self_->send(core_->heap_keeper(), heap_part_ended{content, bytes, end, frees});
}

void store_shard_state::drop_decoded(const drop_decoded_value& request) {
  auto& entry = *request.entry.get();
  auto held = slots_.find(entry.number_in_shard());
  // Without a slot it is on its way out; what is on disk has nothing decoded.
  auto dropped = held == slots_.end() || held->second.copy->drop_decoded();
  auto end = dropped ? heap_leave_end::left : heap_leave_end::pinned;
  entry.stripe().leave_ended(entry, heap_content::decoded, end);
  // Readers that came while the copy was closed wait.
  if (dropped)
    entry.restored();
  tell_keeper(heap_content::decoded, request.bytes, end);
}

} // namespace mobula

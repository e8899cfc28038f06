// How complete values come from the process heap into a shard: they wait for space, are copied into
// the arena, and are sealed there, or stay where they are.

#include "shard_intake.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <caf/event_based_actor.hpp>

#include "mobula/actors/objects/waiting_readers.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

/// Copying this much takes less than a message's detour.
constexpr std::size_t max_moved_here = std::size_t{256} << 10U;

} // namespace

// -- events ---------------------------------------------------------------------------------------

void shard_intake::accept(move_into_store& request) {
  auto id = request.entry->id();
  auto size = request.copy->space_bytes();
  shard_slot held{std::move(request.copy), request.entry.get()};
  held.waiting = std::move(request.entry);
  shard_.add(id.sequence, std::move(held));
  shard_.tell(&store_table::create, shard_.next_token(), id, size, copy_kind::primary);
  shard_.run();
}

void shard_intake::accept_from_heap(take_from_heap& request) {
  auto id = request.entry->id();
  auto size = request.copy->space_bytes();
  shard_slot held{std::move(request.copy), request.entry.get()};
  held.leaving_heap = std::move(request.entry);
  held.frees_before = shard_.node().heap_of_values().store_frees();
  MOBULA_ASSERT(shard_.find(id.sequence) == nullptr);
  shard_.add(id.sequence, std::move(held));
  shard_.tell(&store_table::create, shard_.next_token(), id, size, copy_kind::primary);
  shard_.run();
}

void shard_intake::moved_in(copy_moved& answer) {
  auto& held = shard_.slot_of(shard_.id_of(answer.sequence));
  if (held.leaving_heap)
    finish_leaving_heap(held, std::move(*answer.memory));
  else
    finish_admission(held, std::move(*answer.memory));
  shard_.run();
}

void shard_intake::drop_decoded(const drop_decoded_value& request) {
  auto& entry = *request.entry.get();
  const auto* held = shard_.find(number_in_shard(entry));
  // Without a slot it is on its way out; what is on disk has nothing decoded.
  auto dropped = held == nullptr || held->copy->drop_decoded();
  auto end = dropped ? heap_leave_end::left : heap_leave_end::pinned;
  entry.stripe().order().leave_ended(entry, heap_content::decoded, end);
  // Readers that came while the copy was closed wait.
  if (dropped)
    waiting_readers{entry}.restored();
  tell_keeper(heap_content::decoded, request.bytes, end);
}

// -- effects --------------------------------------------------------------------------------------

void shard_intake::place(const object_id& id, shard_slot& held, arena_block memory) {
  if (held.leaving_heap)
    move_from_heap(id, held, std::move(memory));
  else
    move_in(held, std::move(memory));
}

/// What can never have space, and what was freed, goes with its last reference.
void shard_intake::refuse_leaving(std::uint64_t number, refusal reason) {
  auto& held = shard_.slot_of(shard_.id_of(number));
  auto entry = std::move(held.leaving_heap);
  auto frees = held.frees_before;
  shard_.forget(number);
  auto for_good = reason == refusal::larger_than_store || reason == refusal::released;
  stays_in_heap(entry, for_good ? heap_leave_end::kept : heap_leave_end::refused, frees);
}

void shard_intake::refuse_waiting(std::uint64_t number, error_info reason) {
  auto& held = shard_.slot_of(shard_.id_of(number));
  auto entry = std::move(held.waiting);
  auto copy = held.copy;
  shard_.forget(number);
  if (keep_in_heap(*copy) && entry->seal_stored(*copy))
    return;
  copy.reset();
  shard_.node().heap_freed();
  entry->seal_failed(std::move(reason));
}

// -- into the arena -------------------------------------------------------------------------------

/// Moves an object into the arena: at once, or, if that takes long, in an actor of its own, so that
/// nobody waits for the shard meanwhile.
void shard_intake::move_in(shard_slot& held, arena_block memory) {
  if (held.copy->size_bytes <= max_moved_here) {
    std::ranges::copy(held.copy->storage(), memory.bytes().begin());
    return held.leaving_heap ? finish_leaving_heap(held, std::move(memory))
                             : finish_admission(held, std::move(memory));
  }
  held.in_transfer = true;
  auto target = std::make_shared<arena_block>(std::move(memory));
  shard_.node().system().spawn<caf::hidden>(
    [copy = held.copy, target, shard = shard_.actor(),
     sequence = held.entry->sequence()](caf::event_based_actor* mover) {
      std::ranges::copy(copy->storage(), target->bytes().begin());
      mover->send(shard, copy_moved{sequence, target});
    });
}

void shard_intake::finish_admission(shard_slot& held, arena_block memory) {
  auto& copy = *held.copy;
  held.in_transfer = false;
  copy.memory = copy_memory{std::move(memory)};
  // What the value was in until now counted there.
  shard_.node().heap_freed();
  shard_.readers().open(held.entry->id(), held);
  auto entry = std::exchange(held.waiting, object_handle{});
  auto is_wanted = entry->seal_stored(copy);
  shard_.tell(&store_table::seal, entry->id());
  if (is_wanted)
    return;
  shard_.tell(&store_table::release, entry->id());
  held.freed = std::move(entry);
}

/// There is space. From here on nobody can pin the value where it was.
void shard_intake::move_from_heap(const object_id& id, shard_slot& held, arena_block memory) {
  auto unwanted = held.leaving_heap->has_failed();
  if (!unwanted && held.copy->pins.try_close())
    return move_in(held, std::move(memory));
  auto entry = std::move(held.leaving_heap);
  stays_in_heap(entry, unwanted ? heap_leave_end::kept : heap_leave_end::pinned);
  // In this order: who gets the space next finds the memory.
  memory = arena_block{};
  shard_.tell(&store_table::abort, id);
}

void shard_intake::finish_leaving_heap(shard_slot& held, arena_block memory) {
  auto& copy = *held.copy;
  auto entry = std::move(held.leaving_heap);
  held.in_transfer = false;
  copy.memory = copy_memory{std::move(memory)};
  // Before readers: who pins it from here on has the shard's copy.
  copy.in_heap.store(false, std::memory_order_release);
  shard_.readers().open(entry->id(), held);
  entry->stripe().moved_to_store(*entry.get());
  shard_.tell(&store_table::seal, entry->id());
  tell_keeper(heap_content::value, copy.size_bytes, heap_leave_end::left);
}

// -- in the heap ----------------------------------------------------------------------------------

/// A value that waited in the process heap stays there if it is small enough for that, and the heap
/// has space for it by now. Returns whether it does.
bool shard_intake::keep_in_heap(stored_copy& copy) const {
  const auto& heap = shard_.node().heap_of_values().limits();
  if (copy.size_bytes > shard_.node().options().inline_limit_bytes
      || heap.used_bytes() > heap.limit_bytes())
    return false;
  copy.in_heap.store(true, std::memory_order_relaxed);
  copy.pins.reset();
  return true;
}

void shard_intake::stays_in_heap(const object_handle& entry, heap_leave_end end,
                                 std::uint64_t frees) {
  entry->stripe().order().leave_ended(*entry.get(), heap_content::value, end);
  tell_keeper(heap_content::value, entry->copy()->size_bytes, end, frees);
}

void shard_intake::tell_keeper(heap_content content, std::uint64_t bytes, heap_leave_end end,
                               std::uint64_t frees) {
  shard_.send(shard_.node().heap_keeper(), heap_part_ended{content, bytes, end, frees});
}

} // namespace mobula

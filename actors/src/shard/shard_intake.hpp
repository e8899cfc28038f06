#pragma once

#include <cstdint>

#include "mobula/actors/messages/heap_messages.hpp"
#include "mobula/actors/messages/shard_messages.hpp"
#include "shard_core.hpp"

namespace mobula {

/// The part of a shard that takes in values which are complete, in the process heap: those of
/// actors, which cannot wait before they write, and those that leave the heap because it is above
/// its limit.
///
/// The latter are readable all the time but while their bytes are copied; who comes then waits as
/// for any object that is not here yet.
class shard_intake {
public:
  /// REQUIRES: the shard outlives this.
  explicit shard_intake(shard_core& shard) : shard_(shard) {
    // nop
  }

  // -- events -------------------------------------------------------------------------------------

  void accept(move_into_store& request);
  void accept_from_heap(take_from_heap& request);
  void moved_in(copy_moved& answer);
  void drop_decoded(const drop_decoded_value& request);

  // -- effects ------------------------------------------------------------------------------------

  /// The object has got space, and this memory. REQUIRES: it was accepted here.
  void place(const object_id& id, shard_slot& held, arena_block memory);

  /// There is no space for a value that was to leave the heap: it stays where it is.
  void refuse_leaving(std::uint64_t number, refusal reason);

  /// There is none for an actor's object.
  void refuse_waiting(std::uint64_t number, error_info reason);

private:
  void move_in(shard_slot& held, arena_block memory);
  void finish_admission(shard_slot& held, arena_block memory);
  void move_from_heap(const object_id& id, shard_slot& held, arena_block memory);
  void finish_leaving_heap(shard_slot& held, arena_block memory);
  [[nodiscard]] bool keep_in_heap(stored_copy& copy) const;
  void stays_in_heap(const object_handle& entry, heap_leave_end end, std::uint64_t frees = 0);
  void tell_keeper(heap_content content, std::uint64_t bytes, heap_leave_end end,
                   std::uint64_t frees = 0);

  shard_core& shard_;
};

} // namespace mobula

#pragma once

#include <cstdint>
#include <memory>

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/caf/typed_interface.hpp"
#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/messages/space_request.hpp"
#include "mobula/actors/objects/entry_stripe.hpp"
#include "mobula/store/heap/heap_relief.hpp"

namespace mobula {

/// The heap is above its threshold, or something changed there that may matter.
struct look_at_heap {};

MOBULA_MESSAGE(mobula::look_at_heap)

/// A thread waits for space for a small value, and tries again when it is granted: somebody else
/// may have been faster.
struct reserve_heap_space {
  std::uint64_t bytes = 0;
  std::shared_ptr<space_request> request;
};

/// A shard says how an attempt to take something out of the heap ended. What became of the value,
/// its entry knows already.
struct heap_part_ended {
  heap_content content = heap_content::value;
  std::uint64_t bytes = 0;
  heap_leave_end end = heap_leave_end::left;
  std::uint64_t store_frees = 0; ///< how often the store had freed memory when this began
};

/// A shard that refused values of the heap has freed memory since.
struct store_has_space {};

/// Sees to it that values leave the process heap when that is above its limit, and lets puts wait.
/// Values are kept in order by the stripes of their entries, so this hears nothing of puts, reads
/// and drops while there is space.
using heap_keeper_actor =
  caf::typed_actor<takes<look_at_heap>, takes<reserve_heap_space>, takes<heap_part_ended>,
                   takes<store_has_space>, takes<collect_stats>, takes<check_tables>,
                   takes<shut_down>>;

class node_core;

/// Starts the keeper of `core`'s heap. REQUIRES: the shards run.
heap_keeper_actor spawn_heap_keeper(node_core& core);

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::reserve_heap_space)
MOBULA_LOCAL_MESSAGE(mobula::heap_part_ended)
MOBULA_LOCAL_MESSAGE(mobula::store_has_space)

#pragma once

#include <cstdint>
#include <memory>

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/messages/service_interfaces.hpp"
#include "mobula/actors/objects/entry_stripe.hpp"
#include "mobula/store/heap/heap_relief.hpp"

namespace mobula {

class space_request;

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

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::reserve_heap_space)
MOBULA_LOCAL_MESSAGE(mobula::heap_part_ended)
MOBULA_LOCAL_MESSAGE(mobula::store_has_space)

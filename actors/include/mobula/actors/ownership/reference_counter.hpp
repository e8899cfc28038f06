#pragma once

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/caf/typed_interface.hpp"
#include "mobula/actors/messages/service_messages.hpp"

namespace mobula {

/// Says that references came or went since the last time; many changes share one such message.
struct flush_references {};

MOBULA_MESSAGE(mobula::flush_references)

/// Speaks to owners for all references of one node: takes what the node's stripes gathered and
/// sends it on, one batch for each owner and turn.
using reference_counter_actor =
  caf::typed_actor<takes<flush_references>, takes<collect_stats>, takes<shut_down>>;

class node_core;

/// Starts the reference counter of `core`.
reference_counter_actor spawn_reference_counter(node_core& core);

} // namespace mobula

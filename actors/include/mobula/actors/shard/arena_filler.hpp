#pragma once

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/caf/typed_interface.hpp"
#include "mobula/actors/messages/service_messages.hpp"

namespace mobula {

/// The stock of faulted-in memory is low.
struct fill_stock {};

/// Keeps some free memory of the arena faulted in (`mobula.prefault`), so that creators
/// need not wait for page faults. Runs on a thread of its own with a low priority, in small steps.
/// A simulation has none.
using arena_filler_actor = caf::typed_actor<takes<fill_stock>, takes<shut_down>>;

class node_core;

/// Starts the filler of `core`.
arena_filler_actor spawn_arena_filler(node_core& core);

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::fill_stock)

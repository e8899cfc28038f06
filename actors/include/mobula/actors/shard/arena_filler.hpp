#pragma once

#include "mobula/actors/messages/service_interfaces.hpp"

namespace mobula {

class node_core;

/// Starts the filler of `core`.
arena_filler_actor spawn_arena_filler(node_core& core);

} // namespace mobula

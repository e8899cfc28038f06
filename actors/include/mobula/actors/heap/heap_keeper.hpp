#pragma once

#include "mobula/actors/messages/service_interfaces.hpp"

namespace mobula {

class node_core;

/// Starts the keeper of `core`'s heap. REQUIRES: the shards run.
heap_keeper_actor spawn_heap_keeper(node_core& core);

} // namespace mobula

#pragma once

#include "mobula/actors/messages/service_interfaces.hpp"

namespace mobula {

class node_core;

/// Starts shard `index` of `core`. REQUIRES: the spill manager runs.
store_shard_actor spawn_store_shard(node_core& core, std::uint32_t index);

} // namespace mobula

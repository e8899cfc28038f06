#pragma once

#include <caf/actor_system.hpp>
#include <caf/intrusive_ptr.hpp>

#include "mobula/actors/node/node_options.hpp"

namespace mobula {

class node_core;

/// Makes a node: its core, its arena and its services. Blocks while directories are swept and the
/// arena is made. Throws `object_error` when the arena cannot be made or the spill directories
/// cannot be used.
[[nodiscard]] caf::intrusive_ptr<node_core> launch_node(caf::actor_system& system,
                                                        node_options options);

/// Starts the actors that speak with other nodes, unless they run. Until then a node has none, and
/// its references cannot leave. Thread-safe. Throws `object_error` (`shutting_down`).
void launch_cluster(node_core& core);

} // namespace mobula

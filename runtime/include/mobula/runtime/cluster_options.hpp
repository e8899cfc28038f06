#pragma once

#include <caf/actor_system_config.hpp>

namespace mobula {

/// Sets up CAF's network as the options `listen`, `join`, `heartbeat-interval` and
/// `heartbeat-timeout` of the group `mobula` say: checks them, loads the middleman if the node is
/// to be part of a cluster, and has it send heartbeats. Throws `object_error` (`invalid_argument`).
void prepare_network(caf::actor_system_config& config);

} // namespace mobula

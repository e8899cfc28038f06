#pragma once

#include <caf/actor_system_config.hpp>

namespace mobula::internal {

/// How often nodes say that they live, and after how long a silence they count as dead.
struct heartbeat_times {
  caf::timespan interval;
  caf::timespan timeout;
};

/// Reads the options `heartbeat-interval` and `heartbeat-timeout` of the group `mobula`. Throws
/// `object_error` (`invalid_argument`) if they make no sense.
[[nodiscard]] heartbeat_times read_heartbeat_times(const caf::actor_system_config& config);

/// Sets up CAF's network as the options `listen`, `join`, `heartbeat-interval` and
/// `heartbeat-timeout` of the group `mobula` say: checks them, loads the middleman if the node is
/// to be part of a cluster, and has it send heartbeats. Throws `object_error` (`invalid_argument`).
void prepare_network(caf::actor_system_config& config);

/// Has the actor system of `config` do the same when it starts, for options that are set later. It
/// does nothing for those that make no sense; a node refuses them.
void prepare_network_at_start(caf::actor_system_config& config);

} // namespace mobula::internal

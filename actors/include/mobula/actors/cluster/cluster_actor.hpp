#pragma once

#include <set>
#include <string>

#include <caf/actor_system.hpp>

#include "mobula/actors/messages/service_interfaces.hpp"

namespace mobula {

class node_core;

/// Starts the cluster actor of `core`. REQUIRES: the reference counter runs.
cluster_actor spawn_cluster(node_core& core);

/// Returns the names that CAF has for what a cluster actor takes: others know it by these.
[[nodiscard]] std::set<std::string> cluster_interface(const caf::actor_system& system);

} // namespace mobula

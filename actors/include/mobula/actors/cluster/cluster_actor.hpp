#pragma once

#include "mobula/actors/messages/service_interfaces.hpp"

namespace mobula {

class node_core;

/// Starts the cluster actor of `core`. REQUIRES: the reference counter runs.
cluster_actor spawn_cluster(node_core& core);

} // namespace mobula

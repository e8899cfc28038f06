#pragma once

#include "mobula/actors/messages/service_interfaces.hpp"

namespace mobula {

class node_core;

/// Starts the transfers of `core`. REQUIRES: the reference counter runs.
transfers_actor spawn_transfers(node_core& core);

} // namespace mobula

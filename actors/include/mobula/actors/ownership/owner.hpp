#pragma once

#include "mobula/actors/messages/service_interfaces.hpp"

namespace mobula {

class node_core;

/// Starts the owner of `core`'s objects.
owner_actor spawn_owner(node_core& core);

} // namespace mobula

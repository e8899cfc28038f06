#pragma once

#include "mobula/actors/messages/service_interfaces.hpp"

namespace mobula {

class node_core;

/// Starts the reference counter of `core`.
reference_counter_actor spawn_reference_counter(node_core& core);

} // namespace mobula

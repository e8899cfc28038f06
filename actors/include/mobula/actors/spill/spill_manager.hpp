#pragma once

#include "mobula/actors/messages/service_interfaces.hpp"

namespace mobula {

class node_core;

/// Starts the spill manager of `core` and its workers, after it has swept the spill directories and
/// claimed them. Throws `object_error`, naming the directory, if one cannot be used.
spill_manager_actor spawn_spill_manager(node_core& core);

} // namespace mobula

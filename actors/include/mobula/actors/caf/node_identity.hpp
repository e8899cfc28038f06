#pragma once

#include <caf/fwd.hpp>

namespace mobula {

/// Gives the actor system that is made of `config` a CAF node id of its own: the process id and 160
/// random bits. CAF's own consists of what all processes of a host share and of the process id, so
/// two containers with one network, whose processes are both number 1, have the same, and each
/// takes the other for itself.
///
/// REQUIRES: called before the system makes its modules, at the latest by a thread hook's `init`.
/// A system without a network is left alone.
void plant_node_identity(caf::actor_system_config& config);

} // namespace mobula

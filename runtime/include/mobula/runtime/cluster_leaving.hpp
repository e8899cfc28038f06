#pragma once

#include <caf/actor_system.hpp>

#include "mobula/actors/membership/control_port.hpp"
#include "mobula/actors/node/node_core.hpp"

namespace mobula::internal {

/// After this, nobody who connects meets `actor`. CAF's own function for this waits without a
/// limit. Closing twice does no harm.
void close_control_port(caf::actor_system& system, control_port& control,
                        const cluster_actor& actor, port_closing until);

/// Has a node leave its cluster, whoever made it a member: does what `cluster::leave` does. Does
/// nothing for a node that is in none, or that has left. Never throws.
void leave_cluster_of(node_core& core);

} // namespace mobula::internal

#pragma once

#include <chrono>
#include <set>
#include <string>
#include <variant>

#include "mobula/actors/caf_compat.hpp"
#include "mobula/actors/network_address.hpp"

namespace mobula {

/// How a dial ended. Stays within the node.
struct dial_ended {
  dial_id number;
  std::variant<caf::strong_actor_ptr, address_failure> outcome;
};

struct dial_job {
  dial_id number;
  endpoint target;
  /// For the connection; as long again for CAF's handshake.
  std::chrono::milliseconds limit;
  std::set<std::string> interface; ///< of the actor that is expected there
};

/// Connects to the actor that is published at an endpoint and tells `client` with `dial_ended`. In
/// a thread of its own: finding addresses blocks.
void spawn_dial_worker(caf::actor_system& system, caf::strong_actor_ptr client, dial_job job);

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::dial_ended)

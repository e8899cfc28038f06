#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <variant>

#include <caf/error.hpp>
#include <caf/scheduled_actor.hpp>

#include "mobula/actors/caf/caf_connection.hpp"
#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/membership/network_address.hpp"

namespace mobula {

/// How a dial ended. Stays within the node.
struct dial_ended {
  dial_id number;
  std::variant<caf::strong_actor_ptr, address_failure> outcome;
  connection_grip grip; ///< on the connection, if CAF keeps it: it has one for each other node
};

struct dial_job {
  dial_id number;
  endpoint target;
  /// For the connection; as long again for CAF's handshake.
  std::chrono::milliseconds limit;
  std::set<std::string> interface; ///< of the actor that is expected there
  std::uint32_t max_message_bytes = default_message_bytes;
};

/// What came of a worker's attempt: a connection that nothing was said over, or none. Shared, since
/// CAF wants messages that can be copied; the receiver takes the socket out.
struct dial_connected {
  dial_job job;
  std::variant<std::shared_ptr<owned_socket>, address_failure> outcome;
};

/// Connects to an endpoint and tells `client` with `dial_connected`. In a thread of its own, since
/// finding addresses blocks; it waits for nothing else. An actor system waits for such threads at
/// its end, when its network is gone already: so who speaks with that is the client.
void spawn_dial_worker(caf::actor_system& system, caf::strong_actor_ptr client, dial_job job);

/// Returns why CAF's handshake did not lead to an actor, and whether to dial again. Pure; any
/// thread.
[[nodiscard]] address_failure explain_handshake(const caf::error& error, const dial_job& job);

/// Asks CAF for the actor that is published at the other end of a connection. `self` gets
/// `dial_ended`, unless it has ended. A connection over which no handshake comes in time is closed.
/// REQUIRES: called by `self`, while the system has a middleman.
void shake_hands(caf::scheduled_actor& self, const dial_connected& dialed);

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::dial_connected)
MOBULA_LOCAL_MESSAGE(mobula::dial_ended)

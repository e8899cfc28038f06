#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include <caf/actor_system.hpp>
#include <caf/io/scribe.hpp>

#include "mobula/actors/caf/first_header.hpp"
#include "mobula/store/system/owned_socket.hpp"

/// How connections come to CAF's network, and what this library adds to them. Everything that knows
/// CAF's broker from inside is here.

namespace caf::io {

class basp_broker;

} // namespace caf::io

namespace mobula {

/// What one message of CAF's may have, all its content together. More than any of a node's own.
constexpr std::uint32_t default_message_bytes = 256U << 20U;

/// Lets somebody outside of CAF's network thread end a connection. Keeps nothing alive.
class connection_grip {
public:
  connection_grip() = default;

  explicit connection_grip(std::weak_ptr<const int> socket) : socket_(std::move(socket)) {
    // nop
  }

  /// Has the connection end as if the other side had closed it; ignored if it has. Any thread.
  /// REQUIRES: `system` is the connection's, and has its middleman still.
  void drop(caf::actor_system& system) const;

private:
  std::weak_ptr<const int> socket_; ///< owned by the connection, used in CAF's network thread
};

/// A connection that CAF has not begun to use.
struct caf_connection {
  caf::io::scribe_ptr connection;
  connection_grip grip;
};

struct connection_rules {
  /// The side whose handshake comes first.
  handshake_of peer;
  /// Payloads of the messages after it. One that announces more ends the connection.
  std::uint32_t max_message_bytes = default_message_bytes;
};

/// Makes a connection of a socket for CAF's broker. `place` is released when the connection is
/// closed.
///
/// Unlike CAF's own connections, it
/// - has a handle that is never used again. CAF's are the numbers of descriptors: the broker takes
///   a connection whose number was just closed for the old one when the news of that arrives, and
///   forgets it; what it says is without a sender from then on.
/// - looks at the lengths in headers, and takes memory for what has arrived, not for what is
///   announced.
///
/// REQUIRES: the system has a middleman.
[[nodiscard]] caf_connection make_connection(caf::actor_system& system, owned_socket socket,
                                             const connection_rules& rules,
                                             std::shared_ptr<const void> place = nullptr);

/// Returns the broker that speaks with CAF's other nodes. REQUIRES: the system has a middleman.
[[nodiscard]] caf::strong_actor_ptr network_broker(caf::actor_system& system);

/// An actor whom others meet when they connect.
struct published_service {
  caf::strong_actor_ptr actor;
  std::set<std::string> interface;
  std::uint16_t port; ///< that others dial; `unpublish` names it
};

/// Has the broker greet who dialed, as if CAF had accepted the connection at the service's port.
/// Any thread.
void serve(caf::actor_system& system, const published_service& service, caf_connection connection);

/// Has CAF ask for the actor at the other end of a connection; the answer is a node id, the actor
/// and its interface, or an error. `self` has to handle the response to `request`.
void greet(caf::scheduled_actor& self, caf::message_id request, caf_connection connection,
           std::uint16_t port);

/// Has CAF forget, in the calling thread, which node a message came from last: it keeps the address
/// of that node's name, which is gone when the message was handled, and looks there for each new
/// proxy. Called by CAF's network thread.
void forget_last_hop(caf::io::basp_broker& broker) noexcept;

} // namespace mobula

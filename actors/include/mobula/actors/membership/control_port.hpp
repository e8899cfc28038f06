#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "mobula/actors/membership/network_address.hpp"
#include "mobula/actors/membership/stranger_table.hpp"

namespace mobula {

/// A connection whose handshake can be read.
struct greeted_connection {
  owned_socket socket;
  /// To be kept as long as the connection is open: it counts among those that were handed over.
  std::shared_ptr<const void> place;
};

/// The port through which other nodes come: accepts their connections, and hands on those that
/// begin with a whole handshake, whose bytes are still to be read. What is not handed on is closed;
/// a stranger costs a descriptor for some seconds, and no memory that it could choose.
///
/// Runs in a thread of its own, since one that is busy with CAF's messages should not have to look
/// after strangers, nor wait for them. The thread waits for no other.
class control_port {
public:
  /// Gets connections. Called by the port's thread; must not block.
  using taker = std::function<void(greeted_connection)>;

  /// Gets lines for a log, at most one in some seconds. Called by the port's thread.
  using reporter = std::function<void(const std::string&)>;

  /// Listens, and accepts nothing yet: who connects waits. Returns why that is not possible, with
  /// the remedy.
  [[nodiscard]] static std::variant<std::unique_ptr<control_port>, std::string>
  open(const endpoint& where, const stranger_limits& limits);

  control_port(const control_port&) = delete;
  control_port& operator=(const control_port&) = delete;

  /// Stops.
  ~control_port();

  /// Begins to accept, unless the port was stopped before. REQUIRES: called once.
  void start(taker take, reporter report);

  /// Closes the port and all strangers, and waits for the thread, which ends at once. Nothing is
  /// handed on afterwards. Calling it twice does no harm. Any thread but the port's.
  void stop();

  [[nodiscard]] std::uint16_t port() const noexcept;

private:
  class state;

  explicit control_port(std::unique_ptr<state> content);

  std::unique_ptr<state> state_;
};

} // namespace mobula

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "mobula/actors/node/node_core.hpp"
#include "mobula/runtime/simulated_ports.hpp"

namespace mobula::testing {

/// What becomes of messages that are under way when a connection ends.
enum class in_flight : std::uint8_t {
  delivered, ///< all of them
  chance,    ///< those up to a randomly chosen one
  lost,
};

class simulated_network;

/// One direction between two nodes, for all connections that they ever have: a queue of messages,
/// as bytes, in the order in which they were sent. An actor takes one out for each message that it
/// gets, so that the order among lines is the scheduler's, and with it the seed's.
class simulated_line {
public:
  simulated_line(simulated_network& network, node_core& from, node_core& to);

  simulated_line(const simulated_line&) = delete;
  simulated_line& operator=(const simulated_line&) = delete;

  /// Stops the actor and drops what is left.
  void close_down();

  /// There is a connection, of which this end need not know yet.
  void begin(session_id session);

  /// This end knows of its session: what was to be sent meanwhile is sent. References in messages
  /// must not leave before.
  void open();

  /// Nothing is sent from now on; what is under way is kept or lost as `rest` says.
  void end(in_flight rest);

  /// Writes a message to bytes and sends it, as soon as the line is open. Returns whether there is
  /// a connection to send it over.
  bool send(const caf::strong_actor_ptr& receiver, const caf::strong_actor_ptr& sender,
            caf::message_id id, caf::message content);

  /// Calls `f` at the other end, behind all that was sent before.
  void send_notice(std::function<void()> f);

  void deliver_next();

  /// The session of the connection that there is, or none.
  [[nodiscard]] session_id session() const noexcept {
    return session_;
  }

  /// The same, or the last one if there is none.
  [[nodiscard]] session_id latest_session() const noexcept {
    return latest_session_;
  }

  [[nodiscard]] node_core& from() const noexcept {
    return *from_;
  }

  [[nodiscard]] node_core& to() const noexcept {
    return *to_;
  }

  /// The line for answers.
  std::weak_ptr<simulated_line> back;

  /// What stands at this end for the other node's cluster actor, in the current session.
  caf::strong_actor_ptr peer;

private:
  struct frame {
    std::function<void()> notice; ///< in place of a message
    caf::strong_actor_ptr receiver;
    caf::strong_actor_ptr sender; ///< as the receiver sees it
    caf::message_id id;
    std::vector<char> bytes;
  };

  struct held_message {
    caf::strong_actor_ptr receiver;
    caf::strong_actor_ptr sender;
    caf::message_id id;
    caf::message content;
  };

  void write(const held_message& message);
  void push(frame content);
  void deliver(frame& content);

  simulated_network* network_;
  core_pointer from_;
  core_pointer to_;
  caf::actor courier_;
  session_id session_ = session_id::none;
  session_id latest_session_ = session_id::none;
  bool is_open_ = false;
  std::deque<held_message> held_; ///< until it is
  std::deque<frame> frames_;
};

/// Connects the nodes of a simulation: does the membership's work for their cluster actors, and
/// carries messages as a network would. What is sent over it is really written to bytes and read
/// again. Bounded by the test that uses it.
class simulated_network {
public:
  simulated_network(caf::actor_system& system, std::mt19937_64& random);

  simulated_network(const simulated_network&) = delete;
  simulated_network& operator=(const simulated_network&) = delete;

  /// Drops what is under way.
  ~simulated_network();

  /// Does nothing if they are connected. Undoes a cut.
  void connect(node_core& one, node_core& other);

  /// Ends the connection, and lets no other begin until `connect`.
  void cut(node_core& one, node_core& other);

  /// The node is dead, or has left: its connections end.
  void remove(node_core& core, in_flight to_others, in_flight to_it);

  /// Returns what stands at `from` for an actor of `to`.
  [[nodiscard]] caf::actor remote(node_core& from, node_core& to, const caf::actor& target);

  [[nodiscard]] bool connected(node_core& one, node_core& other) const;

  [[nodiscard]] const std::vector<error_info>& lost_messages() const noexcept {
    return lost_;
  }

  /// What moves the bytes of values.
  [[nodiscard]] simulated_ports& ports() const noexcept {
    return *ports_;
  }

  // -- for lines ----------------------------------------------------------------------------------

  [[nodiscard]] caf::actor_system& system() const noexcept {
    return system_;
  }

  [[nodiscard]] std::size_t choose_up_to(std::size_t most);

  void note_lost(const caf::error& reason);

private:
  void enlist(node_core& core);
  std::shared_ptr<simulated_line> line(node_core& from, node_core& to);
  void begin(simulated_line& there, simulated_line& back);
  void end(simulated_line& there, in_flight rest);
  void tell_end(simulated_line& there, session_id session);
  void find_owner(const mobula::find_owner& request);
  [[nodiscard]] node_core* node_called(const incarnation_id& name) const;

  caf::actor_system& system_;
  std::mt19937_64& random_;
  caf::actor directory_; ///< answers `find_owner`
  std::vector<core_pointer> nodes_;
  std::map<std::pair<incarnation_id, incarnation_id>, std::shared_ptr<simulated_line>> lines_;
  std::set<std::pair<incarnation_id, incarnation_id>> cuts_; ///< smaller name first
  std::vector<error_info> lost_;
  std::uint64_t sessions_ = 0;
  std::shared_ptr<simulated_ports> ports_;
  std::shared_ptr<simulated_network*> alive_; ///< points to null once this is gone
};

} // namespace mobula::testing

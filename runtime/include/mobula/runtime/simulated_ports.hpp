#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <span>

#include "mobula/actors/node/node_core.hpp"
#include "mobula/store/port/transfer_port.hpp"

namespace mobula::testing {

class simulated_port;

/// The data ports of a simulation's nodes. Bytes go from buffer to buffer in the one thread that
/// there is; each ask, and each chunk, is a step of its own, in an order that the scheduler or the
/// seed chooses.
///
/// Shared by the network and the ports, since nodes end before or after it.
class simulated_ports : public std::enable_shared_from_this<simulated_ports> {
public:
  simulated_ports(caf::actor_system& system, std::mt19937_64& random)
    : system_(system), random_(random) {
    // nop
  }

  /// Gives a node a port that all others find. REQUIRES: the node has none.
  void open(node_core& core);

  /// Nothing arrives any more.
  void close();

  /// Breaks what connects these two.
  void cut(const incarnation_id& one, const incarnation_id& other) {
    break_all(one, &other);
  }

  /// From now on no connection to this node can be made; those that there are break.
  void hide(const incarnation_id& node);

  /// From now on one of so many chunks, as the seed chooses, breaks its connection in the middle.
  /// 0: none.
  void break_one_of(std::uint64_t chunks) noexcept {
    break_one_of_ = chunks;
  }

private:
  friend class simulated_port;

  struct connection {
    incarnation_id reader;
    incarnation_id server;
    data_lane lane{};
    std::map<ask_number, std::pair<object_range, std::span<std::byte>>> asks;
    std::map<ask_number, std::uint64_t> arrived; ///< bytes
  };

  using connections = std::map<reader_connection, connection>;

  [[nodiscard]] simulated_port* port_of(const incarnation_id& node) const;
  connections::iterator connect(const incarnation_id& reader, const ask_bytes& ask);
  void begin_ask(const incarnation_id& reader, const ask_bytes& ask, std::span<std::byte> buffer);
  void cancel(const incarnation_id& reader, ask_number ask);
  void close_lane_of(const incarnation_id& reader, const close_lane& lane);
  void carry(const incarnation_id& server, const send_chunk& chunk);
  void refuse(const send_refusal& refusal);
  void break_connection(connections::iterator position);
  void break_all(const incarnation_id& one, const incarnation_id* other);
  [[nodiscard]] bool breaks();

  caf::actor_system& system_;
  std::mt19937_64& random_;
  std::map<incarnation_id, simulated_port*> ports_;
  connections connections_;
  std::set<incarnation_id> hidden_;
  std::uint64_t last_connection_ = 0;
  std::uint64_t break_one_of_ = 0;
  bool closed_ = false;
};

} // namespace mobula::testing

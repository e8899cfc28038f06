#pragma once

#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "mobula/store/port/data_port_config.hpp"
#include "mobula/store/port/transfer_port.hpp"
#include "mobula/store/transfer/transfer_frames.hpp"

namespace mobula {

/// Returns nothing if the address is not in numbers.
[[nodiscard]] std::optional<boost::asio::ip::tcp::endpoint>
endpoint_of(const data_address& address);

/// The nodes that a data port deals with: which may connect, and where the others listen. Belongs
/// to the port's one thread.
class data_peers {
public:
  using tcp = boost::asio::ip::tcp;

  /// How to connect to a node.
  struct peer {
    std::vector<tcp::endpoint> endpoints; ///< at least one; where it greeted last comes first
    transfer_token token;
  };

  explicit data_peers(const incarnation_id& self) : self_(self) {
    // nop
  }

  /// Lets a node connect that greets with this token.
  void admit(const incarnation_id& node, const transfer_token& token) {
    admitted_.insert_or_assign(node, token);
  }

  /// Returns whether the greeting names this node and comes with its sender's token.
  [[nodiscard]] bool believes(const hello_frame& greeting) const;

  /// Says where a node listens. Addresses that are none are reported as refused; with no other,
  /// what was said before stays.
  void add(const incarnation_id& node, std::span<const data_address> addresses,
           const transfer_token& token, transfer_events& events);

  /// The node has greeted there: this is tried first from now on.
  void reached(const incarnation_id& node, const tcp::endpoint& where);

  void remove(const incarnation_id& node);

  /// Returns null if nobody has said where it listens.
  [[nodiscard]] const peer* find(const incarnation_id& node) const;

private:
  incarnation_id self_;
  std::unordered_map<incarnation_id, transfer_token> admitted_;
  std::unordered_map<incarnation_id, peer> peers_;
};

} // namespace mobula

#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include <caf/scheduled_actor.hpp>

#include "mobula/actors/caf/sending.hpp"
#include "mobula/actors/membership/peer_directory.hpp"
#include "mobula/actors/protocol/membership/member_messages.hpp"
#include "mobula/actors/protocol/references/reference_messages.hpp"

namespace mobula {

class node_core;

/// A node that this one exchanges references and values with.
struct exchange_peer {
  session_id session = session_id::none;
  caf::strong_actor_ptr handle;
  data_endpoint data;
};

/// The nodes that this one exchanges references and values with: who sent a message, and how to
/// send one. Each is there from the beginning of a session to its end. Belongs to its actor.
///
/// A message from a handle that is no peer's changes nothing, nor does one of another session than
/// the present one, where it says of which it is.
class exchange_peers {
public:
  /// REQUIRES: `self` outlives this.
  explicit exchange_peers(caf::scheduled_actor& self) : self_(self) {
    // nop
  }

  exchange_peers(const exchange_peers&) = delete;
  exchange_peers& operator=(const exchange_peers&) = delete;

  /// REQUIRES: the node is no peer.
  void add(const peer_session& opened, caf::strong_actor_ptr handle, data_endpoint data);

  /// Returns whether it was a peer.
  bool remove(const incarnation_id& node);

  void clear() noexcept {
    peers_.clear();
  }

  [[nodiscard]] bool contains(const incarnation_id& node) const {
    return peers_.contains(node);
  }

  /// Returns null if the node is no peer.
  [[nodiscard]] const exchange_peer* find(const incarnation_id& node) const {
    return peers_.find(node);
  }

  /// The same, and null as well if that is not the present session.
  [[nodiscard]] const exchange_peer* find(const peer_session& session) const;

  /// Returns who sent the current message; null if that is no peer.
  [[nodiscard]] const incarnation_id* sender() const;

  /// The same, and null as well if the message is not of the present session.
  template <class Message>
  [[nodiscard]] const incarnation_id* sender_of(const Message& message) const {
    const auto* from = sender();
    return from != nullptr && peers_.at(*from).session == message.session ? from : nullptr;
  }

  template <class Message>
  void send(const exchange_peer& to, Message message) {
    ++messages_;
    send_from(self_, to.handle, std::move(message));
  }

  /// Takes each list out of `lists` whose node is a peer, and calls `send_list` with the node, the
  /// peer and the list. The others wait for a session.
  template <class Lists, class F>
  void flush(Lists& lists, F send_list) {
    for (auto each = lists.begin(); each != lists.end();) {
      auto& [node, list] = *each;
      const auto* to = find(node);
      if (to == nullptr) {
        ++each;
        continue;
      }
      send_list(node, *to, list);
      each = lists.erase(each);
    }
  }

  /// Messages that were sent to peers.
  [[nodiscard]] std::uint64_t messages() const noexcept {
    return messages_;
  }

  void check_invariants() const {
    peers_.check_invariants();
  }

private:
  caf::scheduled_actor& self_;
  peer_directory<incarnation_id, exchange_peer> peers_;
  std::uint64_t messages_ = 0;
};

/// Returns whether values can be pulled, from here and from there.
[[nodiscard]] bool can_transfer(const node_core& core, const exchange_peer& to);

} // namespace mobula

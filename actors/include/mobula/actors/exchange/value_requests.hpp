#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "mobula/actors/exchange/exchange_peers.hpp"
#include "mobula/actors/wire/peer_messages.hpp"

namespace mobula {

class object_entry;

/// What readers want to know of values, until their owners are asked: at most one message of each
/// form to each owner and event, unless it would be too long.
///
/// | field              | raised by                          | lowered by                  |
/// |--------------------|------------------------------------|-----------------------------|
/// | in_place_requests_ | `add`, of what may be in an arena  | `send`, `owner_unreachable` |
/// | pull_requests_     | `add`, of what is to be pulled     | the same                    |
/// | inline_requests_   | `add`, of what a message may bring | the same                    |
///
/// *Bounds*: by the borrowed entries.
class value_requests {
public:
  /// REQUIRES: both outlive this.
  value_requests(node_core& core, exchange_peers& peers) : core_(core), peers_(peers) {
    // nop
  }

  value_requests(const value_requests&) = delete;
  value_requests& operator=(const value_requests&) = delete;

  /// The owner is to reply in this form, or in one that fits more cases.
  void add(const object_id& object, reply_form best);

  /// Asks all owners with which there is a session.
  void send();

  /// Nobody is to be asked any more.
  void owner_unreachable(const incarnation_id& owner);

  /// Objects that somebody is to be asked for.
  [[nodiscard]] std::size_t size() const;

private:
  using request_lists = std::map<incarnation_id, std::vector<std::uint64_t>>;

  [[nodiscard]] request_lists& lists_of(reply_form best) noexcept;
  void send_lists(request_lists& requests, reply_form best);
  [[nodiscard]] reply_form form_for(const incarnation_id& owner, const exchange_peer& to,
                                    reply_form best) const;

  node_core& core_;
  exchange_peers& peers_;
  request_lists in_place_requests_; ///< by owner
  request_lists pull_requests_;     ///< by owner: not in its arena, to be pulled
  request_lists inline_requests_;   ///< by owner: a message has to bring them
};

/// Returns the form in which to ask again when a value was not where its owner said.
[[nodiscard]] reply_form form_after_stale_reply(const object_entry& entry);

/// Returns the form in which to ask again when the owner had said enough for one event.
[[nodiscard]] reply_form form_after_deferral(const object_entry& entry);

} // namespace mobula

#pragma once

#include <cstdint>
#include <optional>

#include <caf/actor_control_block.hpp>
#include <caf/scheduled_actor.hpp>

#include "mobula/actors/caf/caf_connection.hpp"
#include "mobula/actors/membership/peer_directory.hpp"
#include "mobula/actors/protocol/membership/member_effects.hpp"

namespace mobula {

/// What the member table calls links: handles on other nodes' actors, which are monitored from the
/// first message or dial on. CAF makes a new handle for each connection's life, so one that is lost
/// is never found again. Belongs to its actor.
///
/// | field  | raised by | lowered by         |
/// |--------|-----------|--------------------|
/// | links_ | `link_to` | `forget`, `remove` |
class member_links {
public:
  member_links() = default;

  member_links(const member_links&) = delete;
  member_links& operator=(const member_links&) = delete;

  /// REQUIRES: called once, before anything else; `self` outlives this.
  void attach(caf::scheduled_actor* self);

  /// Returns the link that leads to `peer`, a new one if there is none.
  link_id link_to(const caf::strong_actor_ptr& peer);

  /// Returns null for a link that is forgotten.
  [[nodiscard]] const caf::strong_actor_ptr* find(link_id link) const;

  /// REQUIRES: the link is not forgotten.
  [[nodiscard]] const caf::strong_actor_ptr& at(link_id link) const {
    return links_.at(link).handle;
  }

  /// This node has dialed, and can close the connection of the link. Ignored if it could before:
  /// CAF closes a second connection to the same node. REQUIRES: the link is not forgotten.
  void hold(link_id link, const connection_grip& grip);

  /// Closes the connection, if this node has dialed it.
  void drop(link_id link) const;

  /// Nobody is interested any more. Ignored for a link that is forgotten.
  void forget(link_id link);

  /// Returns the link that news of an end is about; nothing unless that is a link, and has ended.
  /// The news is a message like any other: a node can send one that names another node's actor.
  [[nodiscard]] std::optional<link_id> ended(const caf::down_msg& news) const;

  /// The link has ended, and all is said of it.
  void remove(link_id link) {
    links_.remove(link);
  }

private:
  struct link_end {
    caf::strong_actor_ptr handle;
    std::optional<connection_grip> grip; ///< if this node has dialed
  };

  caf::scheduled_actor* self_ = nullptr;
  peer_directory<link_id, link_end> links_;
  std::uint64_t last_link_ = 0;
};

} // namespace mobula

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "mobula/actors/protocol/membership/known_members.hpp"
#include "mobula/actors/protocol/membership/local_member.hpp"
#include "mobula/actors/protocol/membership/member_contacts.hpp"
#include "mobula/actors/protocol/membership/member_effects.hpp"
#include "mobula/actors/protocol/membership/member_handshake.hpp"
#include "mobula/actors/protocol/membership/member_sessions.hpp"

namespace mobula {

/// Knows who belongs to the cluster, as seen by one node. No CAF, no clock, no I/O.
///
/// *The idea.* Every member has a session with every other. A node joins by dialing any member;
/// whoever begins a session tells its other members of the new one, and the new one of them, so
/// two nodes that share a member always hear of each other. Then the one with the smaller
/// incarnation dials, and after some time the larger one too: the smaller may not have heard yet.
/// No leader and no agreed list: a list of all would have to be agreed upon just when nodes cannot
/// talk to each other, and nothing here needs one.
///
/// *One session for each pair*, whoever dialed, however often. The side that is dialed decides: it
/// welcomes, or answers that there is a session. When hellos cross, that of the smaller incarnation
/// counts. A side that does not know of a session that the other believes in ends it by saying
/// hello again.
///
/// *Who is dialed, and for how long.* A node without a session is dialed as long as some member
/// vouches for it (is connected to it), and after its loss for `max_lost_rounds`; then it is
/// forgotten; before that if another node needs its place. So a cut between two nodes heals by
/// itself whenever a third sees both, and a dead node is forgotten by all. Two halves of a cluster
/// that were apart for longer than all rounds need a join.
///
/// *Addresses.* A node tells all that it may have. Each round tries them in the order told, but
/// first the one at which the node was last reached from here.
///
/// *Cost.* A node that comes or goes costs each member one message to each other member.
///
/// *Invariants.* A member has a session or is being contacted, never both; each session has one
/// link, and each link at most one session; who vouches has a session.
///
/// *Trust.* What cannot be (see `member_checks.hpp`), and a welcome that answers no hello, changes
/// nothing and is reported; a handshake that is under way on its link fails.
///
/// *Parts.* `known_members` says who is known and connected, `member_contacts` dials,
/// `member_handshake` greets, `member_sessions` begins and ends sessions.
///
/// Events append to the caller's buffer.
class member_table {
public:
  member_table(node_record self, member_config config);

  member_table(const member_table&) = delete;
  member_table& operator=(const member_table&) = delete;

  // -- the node -----------------------------------------------------------------------------------

  /// Joins through the member at `target`. Ends in `report_join_succeeded`, at once if the node is
  /// connected to that member already, or in `report_join_failed`. REQUIRES: `join` is not in use.
  void join(join_id join, const endpoint& target, member_effects& effects);

  /// Leaves for good: tells all, waits for nobody, refuses whatever comes later.
  void leave(member_effects& effects);

  // -- dials: each ends in one of these -----------------------------------------------------------

  /// A node answers at the dialed endpoint. REQUIRES: the link is no loop.
  void dialed(dial_id number, link_id link, member_effects& effects);

  /// The dial reached this node itself.
  void dialed_oneself(dial_id number, member_effects& effects);

  /// `text` says what happened, and to which address.
  void dial_failed(dial_id number, dial_failure kind, const std::string& text,
                   member_effects& effects);

  // -- links --------------------------------------------------------------------------------------

  /// A message came over a link, which may be new.
  void received(link_id link, const member_message& message, member_effects& effects);

  /// No message will come over this link any more.
  void link_lost(link_id link, departure why, member_effects& effects);

  void timer_fired(timer_id timer, member_effects& effects);

  // -- properties ---------------------------------------------------------------------------------

  using member = known_member;

  [[nodiscard]] const node_record& self() const noexcept {
    return self_.record();
  }

  /// Returns nothing for a node that is no member, or that has no session now.
  [[nodiscard]] const member* find_connected(const incarnation_id& incarnation) const {
    return members_.find_connected(incarnation);
  }

  /// Returns the member whose session uses the link; null if there is none.
  [[nodiscard]] const member* find_link(link_id link) const {
    return members_.find_link(link);
  }

  /// Returns all members with a session, ordered by incarnation.
  [[nodiscard]] std::vector<const member*> connected() const {
    return members_.connected();
  }

  /// Returns all nodes that others are connected to and this one cannot be, ordered by incarnation.
  [[nodiscard]] std::vector<const member*> unreachable() const {
    return members_.unreachable();
  }

  /// Returns whether this node or one of its members has a session with that node.
  [[nodiscard]] bool is_vouched_for(const incarnation_id& incarnation) const {
    return members_.is_vouched_for(incarnation);
  }

  /// Nodes that are known, with and without a session.
  [[nodiscard]] std::size_t known() const noexcept {
    return members_.all().size();
  }

  /// Joins and nodes that are being contacted.
  [[nodiscard]] std::size_t contacts() const noexcept {
    return contacts_.size();
  }

  [[nodiscard]] bool has_left() const noexcept {
    return self_.has_left();
  }

  /// Asserts the invariants. O(n²).
  void check_invariants() const;

private:
  void handle(link_id link, const member_message& message, member_effects& effects);

  local_member self_;
  known_members members_;
  member_contacts contacts_;
  member_sessions sessions_;
  member_handshake handshake_;
};

} // namespace mobula

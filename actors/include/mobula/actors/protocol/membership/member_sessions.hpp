#pragma once

#include <vector>

#include "mobula/actors/protocol/membership/known_members.hpp"
#include "mobula/actors/protocol/membership/local_member.hpp"
#include "mobula/actors/protocol/membership/member_contacts.hpp"
#include "mobula/actors/protocol/membership/member_effects.hpp"

namespace mobula {

/// The sessions of a membership table: what begins with one and ends with it, who vouches for whom,
/// and which nodes are known for that.
class member_sessions {
public:
  /// REQUIRES: all outlive this.
  member_sessions(local_member& self, known_members& members, member_contacts& contacts)
    : self_(self), members_(members), contacts_(contacts) {
    // nop
  }

  member_sessions(const member_sessions&) = delete;
  member_sessions& operator=(const member_sessions&) = delete;

  /// Both sides have agreed on a session. REQUIRES: there is a place for the node, which has no
  /// session.
  void begin(link_id link, const node_record& record, session_id session, member_effects& effects);

  /// REQUIRES: the node has a session.
  void end(known_member& who, departure why, member_effects& effects);

  /// What a member says of the nodes that it is connected to.
  void learn(const incarnation_id& voucher, const std::vector<member_hint>& hints,
             member_effects& effects);

  /// Tells all members, and forgets them.
  void leave(member_effects& effects);

  void link_lost(link_id link, departure why, member_effects& effects);

  void handle(link_id link, const members_changed& message, member_effects& effects);
  void handle(link_id link, const session_over& message, member_effects& effects);
  void handle(link_id link, const leave_cluster& message, member_effects& effects);

  void check_invariants() const;

private:
  void ended(link_id link, session_id session, departure why, member_effects& effects);
  void after_loss(const incarnation_id& incarnation, departure why, member_effects& effects);
  void settle(const incarnation_id& incarnation, member_effects& effects);
  /// Forgets a lost node if nobody else fits. Returns whether there is a place.
  bool make_place_for(const incarnation_id& incarnation, member_effects& effects);
  void tell_others(const incarnation_id& about, members_changed change, member_effects& effects);

  local_member& self_;
  known_members& members_;
  member_contacts& contacts_;
};

} // namespace mobula

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mobula/actors/protocol/membership/known_members.hpp"
#include "mobula/actors/protocol/membership/local_member.hpp"
#include "mobula/actors/protocol/membership/member_effects.hpp"

namespace mobula {

enum class contact_id : std::uint64_t {};

enum class contact_phase : std::uint8_t {
  waiting,  ///< for a timer
  queued,   ///< for a dial to end
  dialing,  ///< until the dial ends
  greeting, ///< until an answer, the link's loss or a timer
};

/// Somebody who is to become a member. Ends with a session, or with its last round.
struct member_contact {
  contact_id id{};
  incarnation_id member; ///< empty: a join that does not know whom it dials
  std::optional<join_id> join;
  std::vector<endpoint> targets;
  std::size_t next_target = 0;
  std::uint32_t rounds = 0;        ///< over all targets, in vain
  std::uint32_t silent_rounds = 0; ///< those that ended in silence
  contact_phase now = contact_phase::queued;
  link_id link{};   ///< while greeting
  timer_id timer{}; ///< while waiting or greeting
  std::string failure;
  std::string failures; ///< of all targets in this round
};

/// Whom a membership table dials: each contact waits, is queued, dialed and greeted, and is tried
/// again or given up. A node that is given up is forgotten. What is said once two nodes are
/// connected is in `member_handshake`.
///
/// *Bounds*: a contact for each known node without a session, and `max_joins`; `max_dials`.
class member_contacts {
public:
  /// REQUIRES: both outlive this.
  member_contacts(local_member& self, known_members& members) : self_(self), members_(members) {
    // nop
  }

  member_contacts(const member_contacts&) = delete;
  member_contacts& operator=(const member_contacts&) = delete;

  // -- events of the table ------------------------------------------------------------------------

  void join(join_id join, const endpoint& target, member_effects& effects);
  void leave(member_effects& effects);
  void dialed(dial_id number, link_id link, member_effects& effects);
  void dialed_oneself(dial_id number, member_effects& effects);
  void dial_failed(dial_id number, dial_failure kind, const std::string& text,
                   member_effects& effects);
  void timer_fired(timer_id timer, member_effects& effects);

  /// Ends each event of the table: starts dials, and forgets links that nobody uses.
  void finish(member_effects& effects);

  // -- whom to dial -------------------------------------------------------------------------------

  /// The node is to become a member, unless it is dialed already. REQUIRES: it is known.
  void seek(const incarnation_id& member, member_effects& effects);

  /// The same, later, for a node whose session was lost just now.
  void seek_again(const incarnation_id& member, member_effects& effects);

  /// The node is known no more, nor dialed. REQUIRES: it has no session.
  void forget(incarnation_id node, member_effects& effects);

  // -- what became of a contact -------------------------------------------------------------------

  /// A session with `who` has begun on its link: whatever was to lead to it has arrived.
  void session_began(known_member& who, member_effects& effects);

  /// The contact has led to this node.
  void arrived(contact_id id, const incarnation_id& member, member_effects& effects);

  /// This address was in vain: the contact goes on with its next, or its round is over.
  void failed(contact_id id, dial_failure kind, std::string text, member_effects& effects);

  /// The link may be of no use at the end of the event.
  void may_forget(link_id link);

  // -- properties ---------------------------------------------------------------------------------

  [[nodiscard]] member_contact& at(contact_id id) {
    return contacts_.at(id);
  }

  /// Returns those that have greeted over the link and wait for an answer.
  [[nodiscard]] std::vector<contact_id> greeters_on(link_id link) const;

  /// Returns whether a greeting is under way, over the link or with the node.
  [[nodiscard]] bool greets(link_id link, const incarnation_id& member) const;

  /// Returns whether the node is dialed, or whom a join has found.
  [[nodiscard]] bool seeks(const incarnation_id& member) const;

  [[nodiscard]] std::size_t size() const noexcept {
    return contacts_.size();
  }

  void check_invariants() const;

private:
  member_contact& add(member_contact fresh);
  [[nodiscard]] member_contact* contact_of(const incarnation_id& member);
  void queue(member_contact& who);
  void wait(member_contact& who, std::chrono::nanoseconds delay, member_effects& effects);
  void greet(member_contact& who, link_id link, member_effects& effects);
  [[nodiscard]] std::optional<contact_id> take_dial(dial_id number);
  void start_dials(member_effects& effects);
  void join_round_failed(member_contact& who, dial_failure kind, member_effects& effects);
  void member_round_failed(member_contact& who, member_effects& effects);
  void drop(contact_id id, member_effects& effects);
  void end_wait(member_contact& who, member_effects& effects);
  [[nodiscard]] bool greeting_on(link_id link) const;

  local_member& self_;
  known_members& members_;
  std::uint64_t last_contact_ = 0;
  std::uint64_t last_dial_ = 0;
  std::uint64_t last_timer_ = 0;
  std::map<contact_id, member_contact> contacts_; ///< one a member, and `max_joins`
  std::deque<contact_id> queue_;                  ///< those that are `queued`
  std::map<dial_id, contact_id> dials_;           ///< under way; their contacts may have ended
  std::map<timer_id, contact_id> timers_;         ///< awaited
  std::vector<link_id> forgettable_;              ///< within an event: may be of no use at its end
};

} // namespace mobula

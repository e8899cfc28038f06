#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "mobula/actors/protocol/references/borrow_table.hpp"
#include "mobula/actors/protocol/references/export_table.hpp"
#include "mobula/actors/protocol/references/reference_effects.hpp"
#include "mobula/actors/protocol/references/transit_table.hpp"

namespace mobula {

/// What a node knows about references that passed, or are passing, its gateway: its three tables,
/// and what concerns more than one of them. Objects that never leave their node do not appear here.
///
/// *How the three fit together.* A sender S serializes a reference to an object of O: S's transit
/// keeps a handle. R deserializes it and tells O (borrow). O holds the object for R (export),
/// confirms to R, and tells S that the transit ended. S, R and O may coincide, and R may send the
/// reference on or drop it at any point. At any moment the object is held at O for somebody whose
/// own hold lasts until the next one is known to O; only order between pairs of nodes is needed,
/// and R never speaks to S about it.
///
/// *Failures.* A session is one connection's life between two incarnations. When it ends, each side
/// treats the other as dead, and starts a grace period. Until that is over
/// - what the other borrowed stays held (export),
/// - it counts as a possible receiver of what was sent to it (transit),
/// - what it had not confirmed counts as not confirmed (borrow).
/// So references that were handed on by a node which then died, or lost a session, find their
/// object alive if they arrive and are told within the grace period. It has to be longer than
/// - the time in which both sides of a connection learn that it is lost, plus
/// - the longest time from serialization until the receiver's borrow reaches the owner, once more
///   for each further node that fails meanwhile after it handed the reference on.
/// Nothing else depends on time; a lease may be any length.
///
/// Events append effects in the order in which they are to be carried out. The caller tells all
/// local `traffic` before each other event, so that what was serialized or deserialized earlier is
/// known when a message about it, or behind it, is handled.
class reference_protocol {
public:
  explicit reference_protocol(const incarnation_id& self, const borrow_limits& limits = {})
    : self_(self), transits_(self), exports_(self), borrows_(self, limits) {
    // nop
  }

  reference_protocol(const reference_protocol&) = delete;
  reference_protocol& operator=(const reference_protocol&) = delete;

  // -- this node --------------------------------------------------------------

  /// Tells all that happened on this node, in one turn: each owner and each sender gets at most
  /// one message of each kind.
  void traffic(const reference_traffic& changes, reference_effects& effects);

  // -- membership -------------------------------------------------------------

  /// Comes before all messages of the session. Ends an older one with that node.
  void session_started(const peer_session& peer, reference_effects& effects);

  /// The node died, or is treated so. Ignored if it is not the current session with that node.
  void session_ended(const peer_session& peer, reference_effects& effects);

  /// Answers `connect_to_owner` if there will be no session. Ignored if there is one by now.
  void owner_unreachable(const incarnation_id& owner, reference_effects& effects);

  // -- messages, with who sent them -------------------------------------------

  /// `found` has for each reference a handle on its object, or none if there is no living entry.
  void receive(const incarnation_id& from, const borrow_references& message,
               std::span<const kept_handle> found, reference_effects& effects);

  void receive(const incarnation_id& from, const references_confirmed& message,
               reference_effects& effects);

  void receive(const incarnation_id& from, const transits_ended& message,
               reference_effects& effects);

  void receive(const incarnation_id& from, const return_references& message,
               reference_effects& effects);

  void receive(const incarnation_id& from, const pass_barrier& message, reference_effects& effects);

  void receive(const incarnation_id& from, const barrier_passed& message,
               reference_effects& effects);

  // -- timers -----------------------------------------------------------------

  void grace_over(grace_number grace, reference_effects& effects);

  void lease_passed(lease_mark mark, reference_effects& effects);

  // -- the end ----------------------------------------------------------------

  /// Gives back all handles, says nothing to anybody. REQUIRES: no other event follows.
  void shut_down(reference_effects& effects);

  // -- properties -------------------------------------------------------------

  /// Returns whether no reference is at other nodes, comes from them or is between them and this
  /// one.
  [[nodiscard]] bool empty() const noexcept {
    return transits_.empty() && exports_.empty() && borrows_.empty();
  }

  [[nodiscard]] const transit_table& transits() const noexcept {
    return transits_;
  }

  [[nodiscard]] const export_table& exports() const noexcept {
    return exports_;
  }

  [[nodiscard]] const borrow_table& borrows() const noexcept {
    return borrows_;
  }

  void check_invariants() const;

private:
  void end_session(const peer_session& peer, reference_effects& effects);

  incarnation_id self_;
  transit_table transits_;
  export_table exports_;
  borrow_table borrows_;
  std::map<incarnation_id, session_id> sessions_; ///< the same that each table has
  std::uint64_t graces_ = 0;                      ///< counts, for their numbers
};

} // namespace mobula

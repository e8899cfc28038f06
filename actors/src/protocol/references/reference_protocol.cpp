// Spreads each event over the three tables of the protocol, for transits, exports and borrows, in
// the order that they rely on. The tables do not know each other.

#include "mobula/actors/protocol/references/reference_protocol.hpp"

#include <vector>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

// -- this node ------------------------------------------------------------------------------------

void reference_protocol::traffic(const reference_traffic& changes, reference_effects& effects) {
  if (!changes.opened.empty())
    transits_.opened(changes.opened, effects);
  if (!changes.canceled.empty())
    transits_.canceled(changes.canceled, effects);
  std::vector<arrived_reference> home;
  std::vector<arrived_reference> borrowed;
  std::vector<ended_transit> own;
  for (const auto& reference : changes.arrived) {
    auto is_own = reference.object.owner == self_;
    (is_own ? home : borrowed).push_back(reference);
    if (is_own && reference.sender == self_)
      own.push_back({reference.object.sequence, reference.transit});
  }
  if (!home.empty())
    exports_.came_home(home, effects);
  if (!own.empty())
    transits_.ended_here(own, effects);
  if (!borrowed.empty() || !changes.read.empty() || !changes.freed.empty()
      || !changes.dropped.empty())
    borrows_.traffic(borrowed, changes, effects);
}

// -- membership -----------------------------------------------------------------------------------

void reference_protocol::session_started(const peer_session& peer, reference_effects& effects) {
  if (auto older = sessions_.find(peer.node); older != sessions_.end())
    end_session({peer.node, older->second}, effects);
  sessions_.emplace(peer.node, peer.session);
  transits_.session_started(peer);
  exports_.session_started(peer);
  borrows_.session_started(peer, effects);
}

void reference_protocol::session_ended(const peer_session& peer, reference_effects& effects) {
  if (auto current = sessions_.find(peer.node);
      current != sessions_.end() && current->second == peer.session)
    end_session(peer, effects);
}

void reference_protocol::end_session(const peer_session& peer, reference_effects& effects) {
  sessions_.erase(peer.node);
  auto grace = grace_number{++graces_};
  transits_.session_ended(peer, grace);
  exports_.session_ended(peer, grace);
  borrows_.session_ended(peer, grace, effects);
  effects.emplace_back(start_grace{grace});
}

void reference_protocol::owner_unreachable(const incarnation_id& owner,
                                           reference_effects& effects) {
  if (sessions_.contains(owner))
    return;
  auto grace = grace_number{++graces_};
  if (borrows_.owner_unreachable(owner, grace, effects))
    effects.emplace_back(start_grace{grace});
}

// -- messages -------------------------------------------------------------------------------------

void reference_protocol::receive(const incarnation_id& from, const borrow_references& message,
                                 std::span<const kept_handle> found, reference_effects& effects) {
  exports_.borrowed(from, message, found, effects);
  auto current = sessions_.find(from);
  if (current == sessions_.end() || current->second != message.session)
    return;
  std::vector<ended_transit> own;
  for (const auto& reference : message.references)
    if (reference.sender == self_)
      own.push_back({reference.sequence, reference.transit});
  if (!own.empty())
    transits_.ended_here(own, effects);
}

void reference_protocol::receive(const incarnation_id& from, const references_confirmed& message,
                                 reference_effects& effects) {
  borrows_.confirmed(from, message, effects);
}

void reference_protocol::receive(const incarnation_id& from, const transits_ended& message,
                                 reference_effects& effects) {
  transits_.ended({from, message.session}, message.transits, effects);
}

void reference_protocol::receive(const incarnation_id& from, const return_references& message,
                                 reference_effects& effects) {
  exports_.returned(from, message, effects);
}

void reference_protocol::receive(const incarnation_id& from, const pass_barrier& message,
                                 reference_effects& effects) {
  borrows_.barrier_asked(from, message, effects);
}

void reference_protocol::receive(const incarnation_id& from, const barrier_passed& message,
                                 reference_effects& effects) {
  transits_.barrier_passed({from, message.session}, message.number, effects);
}

// -- timers, the end, properties ------------------------------------------------------------------

void reference_protocol::grace_over(grace_number grace, reference_effects& effects) {
  transits_.grace_over(grace, effects);
  exports_.grace_over(grace, effects);
  borrows_.grace_over(grace, effects);
}

void reference_protocol::lease_passed(lease_mark mark, reference_effects& effects) {
  transits_.lease_passed(mark, effects);
}

void reference_protocol::shut_down(reference_effects& effects) {
  sessions_.clear();
  transits_.shut_down(effects);
  exports_.shut_down(effects);
  borrows_.shut_down(effects);
}

void reference_protocol::check_invariants() const {
  transits_.check_invariants();
  exports_.check_invariants();
  borrows_.check_invariants();
}

} // namespace mobula

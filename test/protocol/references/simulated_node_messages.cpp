// How a node drives the tables under test: what it tells them in each turn, and what messages, ends
// of sessions and timers do to them.

#include <utility>

#include "simulated_node.hpp"

namespace mobula::test {

void simulated_node::note_traffic() {
  world_.want_turn(self_);
}

void simulated_node::turn() {
  auto traffic = std::exchange(traffic_, {});
  auto gone = std::exchange(zombies_, {});
  reference_effects effects;
  tables_.traffic(traffic, effects);
  carry_out(effects);
  for (auto which : gone)
    free_slot(which);
}

void simulated_node::carry_out(reference_effects& effects) {
  tables_.check_invariants();
  for (auto& effect : effects) {
    if (auto* send = std::get_if<send_to_peer>(&effect))
      world_.send(self_, send->to.node, std::move(send->message));
    else if (auto* dropped = std::get_if<drop_handles>(&effect))
      for (auto handle : dropped->handles)
        drop_handle(static_cast<slot>(static_cast<std::uint64_t>(handle) - 1));
    else if (auto* failed = std::get_if<fail_references>(&effect))
      for (auto token : failed->entries)
        fail(static_cast<slot>(static_cast<std::uint64_t>(token) - 1), failed->reason);
    else if (auto* grace = std::get_if<start_grace>(&effect))
      world_.start_timer(self_, *grace);
    else if (auto* lease = std::get_if<start_lease>(&effect))
      world_.start_timer(self_, *lease);
    else if (auto* owner = std::get_if<connect_to_owner>(&effect))
      world_.dial(self_, owner->owner);
  }
}

void simulated_node::handle(const incarnation_id& from, const wire_message& message) {
  if (const auto* sent = std::get_if<user_message>(&message))
    return deserialize(*sent, on_arrival::hold);
  turn();
  if (const auto* request = std::get_if<request_value>(&message))
    return serve_request(from, *request);
  if (const auto* value = std::get_if<value_reply>(&message)) {
    if (session_with(from) == value->session)
      value_arrived(*value);
    return;
  }
  if (const auto* hello = std::get_if<session_hello>(&message))
    return begin_session({from, hello->session});
  const auto& about = std::get<reference_message>(message);
  if (const auto* borrow = std::get_if<borrow_references>(&about))
    return borrow_asked(from, *borrow);
  if (const auto* freed = std::get_if<free_objects>(&about))
    return free_asked(from, *freed);
  reference_effects effects;
  std::visit(
    [&]<class Message>(const Message& received) {
      if constexpr (requires { tables_.receive(from, received, effects); })
        tables_.receive(from, received, effects);
    },
    about);
  carry_out(effects);
}

void simulated_node::borrow_asked(const incarnation_id& from, const borrow_references& message) {
  std::vector<kept_handle> found;
  for (const auto& reference : message.references) {
    auto own = own_.find(reference.sequence);
    found.push_back(own == own_.end() ? kept_handle::none : kept_handle{number_of(own->second)});
    if (own != own_.end())
      ++entries_[own->second].handles;
  }
  reference_effects effects;
  tables_.receive(from, message, found, effects);
  carry_out(effects);
}

/// Only what is known to be held by who frees it is found for sure.
void simulated_node::free_asked(const incarnation_id& from, const free_objects& message) {
  if (session_with(from) != message.session)
    return;
  for (auto sequence : message.sequences)
    if (!tables_.exports().borrows(from, sequence))
      world_.violation("object /" + std::to_string(sequence) + " was returned by " + to_text(from)
                       + " before it heard that it is freed");
}

void simulated_node::serve_request(const incarnation_id& from, const request_value& request) {
  if (session_with(from) != request.session)
    return;
  value_reply answer{request.session, request.reading, value_outcome::no_object, {}};
  if (auto own = own_.find(request.sequence); own != own_.end()) {
    answer.outcome = value_outcome::found;
    for (auto inner : entries_[own->second].nested) {
      const auto& entry = entries_[inner];
      answer.inner.push_back({entry.object, {}, {}, entry.depth, entry.sound && !entry.failed});
    }
  }
  world_.send(self_, from, std::move(answer));
}

void simulated_node::value_arrived(const value_reply& value) {
  auto pending = readings_.extract(value.reading);
  if (pending.empty())
    return;
  auto outer = pending.mapped().outer;
  if (value.outcome == value_outcome::no_object && entries_[outer].sound && !entries_[outer].failed)
    world_.violation("the owner has no value for " + to_text(entries_[outer].object));
  value_read read{kept_handle{number_of(outer)}, {}};
  std::vector<slot> arrived;
  for (const auto& inner : value.inner) {
    auto which = bind(inner);
    arrived.push_back(which);
    if (inner.object.owner != self_)
      read.inner.push_back({entry_token{number_of(which)}, inner.object});
  }
  traffic_.read.push_back(std::move(read));
  for (auto which : arrived)
    if (ending)
      drop_handle(which);
    else
      held_.push_back(which);
  note_traffic();
}

void simulated_node::begin_session(const peer_session& peer) {
  turn();
  forget_readings(peer.node);
  sessions_[peer.node] = peer.session;
  reference_effects effects;
  tables_.session_started(peer, effects);
  carry_out(effects);
}

void simulated_node::end_session(const peer_session& peer) {
  turn();
  if (session_with(peer.node) == peer.session) {
    sessions_.erase(peer.node);
    forget_readings(peer.node);
  }
  reference_effects effects;
  tables_.session_ended(peer, effects);
  carry_out(effects);
}

void simulated_node::forget_readings(const incarnation_id& owner) {
  for (auto it = readings_.begin(); it != readings_.end();) {
    auto outer = it->second.outer;
    if (entries_[outer].object.owner != owner) {
      ++it;
      continue;
    }
    it = readings_.erase(it);
    drop_handle(outer);
  }
}

void simulated_node::owner_unreachable(const incarnation_id& owner) {
  turn();
  reference_effects effects;
  tables_.owner_unreachable(owner, effects);
  carry_out(effects);
}

void simulated_node::grace_over(grace_number number) {
  turn();
  reference_effects effects;
  tables_.grace_over(number, effects);
  carry_out(effects);
}

void simulated_node::lease_passed(lease_mark mark) {
  turn();
  reference_effects effects;
  tables_.lease_passed(mark, effects);
  carry_out(effects);
}

} // namespace mobula::test

// What happens to a membership, event by event, and which part hears of it: contacts, handshakes or
// sessions.

#include "mobula/actors/protocol/membership/member_table.hpp"

#include <optional>
#include <utility>
#include <variant>

#include "mobula/actors/protocol/membership/member_checks.hpp"

namespace mobula {

member_table::member_table(node_record self, member_config config)
  : self_(std::move(self), std::move(config)), members_(self_.config().max_members),
    contacts_(self_, members_), sessions_(self_, members_, contacts_),
    handshake_(self_, members_, contacts_, sessions_) {
  // nop
}

// -- the node -------------------------------------------------------------------------------------

void member_table::join(join_id join, const endpoint& target, member_effects& effects) {
  contacts_.join(join, target, effects);
}

void member_table::leave(member_effects& effects) {
  if (has_left())
    return;
  self_.leave();
  sessions_.leave(effects);
  contacts_.leave(effects);
}

// -- dials ----------------------------------------------------------------------------------------

void member_table::dialed(dial_id number, link_id link, member_effects& effects) {
  contacts_.dialed(number, link, effects);
}

void member_table::dialed_oneself(dial_id number, member_effects& effects) {
  contacts_.dialed_oneself(number, effects);
}

void member_table::dial_failed(dial_id number, dial_failure kind, const std::string& text,
                               member_effects& effects) {
  contacts_.dial_failed(number, kind, text, effects);
}

void member_table::timer_fired(timer_id timer, member_effects& effects) {
  contacts_.timer_fired(timer, effects);
}

// -- links ----------------------------------------------------------------------------------------

void member_table::received(link_id link, const member_message& message, member_effects& effects) {
  // A hello is looked at when it is known that its sender speaks as this node does.
  auto fault = std::holds_alternative<hello>(message) ? std::nullopt : fault_of(message);
  if (fault)
    handshake_.reject(link, message, *fault, effects);
  else
    handle(link, message, effects);
  contacts_.may_forget(link);
  contacts_.finish(effects);
}

void member_table::handle(link_id link, const member_message& message, member_effects& effects) {
  std::visit(
    [&](const auto& content) {
      if constexpr (requires { sessions_.handle(link, content, effects); })
        sessions_.handle(link, content, effects);
      else
        handshake_.handle(link, content, effects);
    },
    message);
}

void member_table::link_lost(link_id link, departure why, member_effects& effects) {
  sessions_.link_lost(link, why, effects);
  for (auto id : contacts_.greeters_on(link))
    contacts_.failed(id, dial_failure::passing, "the connection was lost during the handshake",
                     effects);
  contacts_.finish(effects);
}

void member_table::check_invariants() const {
  sessions_.check_invariants();
  contacts_.check_invariants();
}

} // namespace mobula

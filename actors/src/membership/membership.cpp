// Feeds the membership table with CAF's messages, connections and deaths of actors, and carries out
// its effects. What is a link to the table is an actor here.

#include "mobula/actors/membership/membership.hpp"

#include <algorithm>

#include "mobula/actors/caf/sending.hpp"
#include "mobula/actors/caf/typed_interface.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

/// Messages that may arrive before the membership begins: a port is open a little earlier.
constexpr std::size_t max_early = 256;

departure why_down(const caf::error& reason) {
  return reason == caf::exit_reason::remote_link_unreachable ? departure::connection_lost
                                                             : departure::node_ended;
}

} // namespace

void membership::attach(caf::scheduled_actor* self, dialect speaks, member_listener& listener) {
  MOBULA_ASSERT(self_ == nullptr);
  self_ = self;
  timers_.attach(self);
  speaks_ = std::move(speaks);
  listener_ = &listener;
}

// -- messages within the node ---------------------------------------------------------------------

void membership::begin(const begin_membership& message) {
  MOBULA_ASSERT(!table_ && message.config.speaks == speaks_);
  table_.emplace(message.self, message.config);
  max_message_bytes_ = message.max_message_bytes;
  for (const auto& [sender, content] : std::exchange(early_, {}))
    handle_from(sender, content);
}

void membership::join(const join_through& message) {
  MOBULA_ASSERT(table_.has_value());
  join_id number{++last_join_};
  joins_.emplace(number, message.answer);
  member_effects effects;
  table_->join(number, message.target, effects);
  run(std::move(effects));
}

void membership::list(const list_members& message) const {
  std::vector<member_info> result;
  if (table_)
    for (const auto* member : table_->connected())
      result.push_back({member->record, member->session, peers_.at(member->link)->node()});
  message.answer->set_value(std::move(result));
}

/// A node that has left speaks with no other any more: the connection goes with the message.
void membership::dial_connected(const mobula::dial_connected& message) {
  if (!table_->has_left())
    shake_hands(*self_, message);
}

void membership::dial_done(const dial_ended& message) {
  member_effects effects;
  if (const auto* failure = std::get_if<address_failure>(&message.outcome)) {
    table_->dial_failed(message.number, failure->kind, failure->text, effects);
  } else {
    const auto& peer = std::get<caf::strong_actor_ptr>(message.outcome);
    if (peer == myself())
      table_->dialed_oneself(message.number, effects);
    else
      dialed(message, peer, effects);
  }
  run(std::move(effects));
}

void membership::dialed(const dial_ended& message, const caf::strong_actor_ptr& peer,
                        member_effects& effects) {
  auto link = link_to(peer);
  // The first: CAF closes a second connection to the same node.
  grips_.try_emplace(link, message.grip);
  table_->dialed(message.number, link, effects);
}

void membership::leave() {
  if (!table_)
    return;
  member_effects effects;
  table_->leave(effects);
  run(std::move(effects));
}

// -- messages from other nodes --------------------------------------------------------------------

void membership::received(const hello_envelope& message) {
  received(member_message{open(message, speaks_)});
}

void membership::received(const member_message& message) {
  const auto& sender = self_->current_sender();
  // Nobody to answer, so nobody to have a session with.
  if (sender == nullptr)
    return;
  if (table_)
    handle_from(sender, message);
  else if (early_.size() < max_early)
    early_.emplace_back(sender, message);
}

void membership::handle_from(const caf::strong_actor_ptr& sender, const member_message& message) {
  member_effects effects;
  table_->received(link_to(sender), message, effects);
  run(std::move(effects));
}

/// The news is a message like any other: a node can send one that names another node's actor.
void membership::down(const caf::down_msg& message) {
  auto known = links_.find(message.source.get());
  if (known == links_.end() || !has_ended(peers_.at(known->second)))
    return;
  auto link = known->second;
  member_effects effects;
  table_->link_lost(link, why_down(message.reason), effects);
  run(std::move(effects));
  links_.erase(message.source.get());
  peers_.erase(link);
  grips_.erase(link);
}

link_id membership::link_to(const caf::strong_actor_ptr& peer) {
  auto [position, fresh] = links_.try_emplace(peer.get());
  if (fresh) {
    position->second = link_id{++last_link_};
    peers_.emplace(position->second, peer);
    self_->monitor(peer);
  }
  return position->second;
}

// -- effects --------------------------------------------------------------------------------------

void membership::run(member_effects effects) {
  actor_timers::event handled{timers_};
  for (const auto& effect : effects)
    std::visit([this](const auto& content) { apply(content); }, effect);
}

void membership::apply(const dial& effect) {
  using expected = caf::typed_actor<takes<hello_envelope>>;
  auto& system = self_->system();
  spawn_dial_worker(system, myself(),
                    {.number = effect.number,
                     .target = effect.target,
                     .limit = std::chrono::duration_cast<std::chrono::milliseconds>(effect.limit),
                     .interface = system.message_types<expected>(),
                     .max_message_bytes = max_message_bytes_});
}

void membership::apply(const send_on_link& effect) {
  auto peer = peers_.find(effect.link);
  if (peer == peers_.end())
    return;
  auto send = [&](const auto& content) {
    send_from(*self_, peer->second, content);
  };
  if (const auto* greeting = std::get_if<hello>(&effect.message))
    return send(seal(*greeting));
  std::visit(
    [&](const auto& content) {
      if constexpr (!std::is_same_v<std::decay_t<decltype(content)>, hello>)
        send(content);
    },
    effect.message);
}

void membership::apply(const forget_link& effect) {
  auto peer = peers_.extract(effect.link);
  if (peer.empty())
    return;
  grips_.erase(effect.link);
  links_.erase(peer.mapped().get());
  self_->demonitor(caf::actor_cast<caf::actor_addr>(peer.mapped()));
}

void membership::apply(const drop_link& effect) {
  if (auto grip = grips_.find(effect.link); grip != grips_.end())
    grip->second.drop(self_->system());
}

void membership::apply(const start_timer& effect) {
  auto end = [this, timer = effect.timer] {
    awaited_.erase(timer);
    member_effects effects;
    table_->timer_fired(timer, effects);
    run(std::move(effects));
  };
  awaited_.emplace(effect.timer, timers_.start(effect.delay, std::move(end)));
}

void membership::apply(const stop_timer& effect) {
  if (auto running = awaited_.extract(effect.timer); !running.empty())
    timers_.stop(running.mapped());
}

void membership::apply(const report_member_joined& effect) {
  listener_->member_joined(effect.record, effect.session, peers_.at(effect.link));
}

void membership::apply(const report_member_left& effect) {
  listener_->member_left(effect.incarnation, effect.session, effect.why);
}

void membership::apply(const report_join_succeeded& effect) {
  answer(effect.join, std::nullopt);
}

void membership::apply(const report_join_failed& effect) {
  answer(effect.join, join_failure{effect.kind, effect.text});
}

void membership::apply(const report_member_unreachable& effect) {
  listener_->member_unreachable(effect.text);
}

void membership::apply(const report_refused& effect) {
  listener_->node_refused(effect.text);
}

void membership::apply(const report_ignored& effect) {
  listener_->message_ignored(effect.text);
}

void membership::answer(join_id join, std::optional<join_failure> outcome) {
  joins_.extract(join).mapped()->set_value(std::move(outcome));
}

// -- properties -----------------------------------------------------------------------------------

void membership::describe(node_report& report) const {
  if (!table_)
    return;
  report.name = table_->self().name;
  report.control = table_->self().control;
  for (const auto* member : table_->connected())
    report.members.push_back({member->record.incarnation, member->record.control});
  for (const auto* lost : table_->unreachable())
    report.unreachable.push_back({lost->record.incarnation, lost->record.control, lost->obstacle});
}

const member_table::member* membership::sender() const {
  auto known = links_.find(self_->current_sender().get());
  if (known == links_.end())
    return nullptr;
  return table_->find_link(known->second);
}

caf::strong_actor_ptr membership::peer(const incarnation_id& incarnation) const {
  const auto* member = table_ ? table_->find_connected(incarnation) : nullptr;
  return member == nullptr ? nullptr : peers_.at(member->link);
}

caf::strong_actor_ptr membership::myself() const {
  return caf::actor_cast<caf::strong_actor_ptr>(self_->address());
}

} // namespace mobula

// Which nodes are members, over which link and in which session, and which vouch for which. Dials
// are in member_contacts.cpp, greetings in member_handshake.cpp.

#include "mobula/actors/protocol/membership/member_table.hpp"

#include <algorithm>
#include <utility>

#include "mobula/actors/protocol/membership/member_checks.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

// -- constructors, destructors, and assignment operators ------------------------------------------

member_table::member_table(node_record self, member_config config)
  : self_(std::move(self)), config_(std::move(config)) {
  MOBULA_ASSERT(!self_.incarnation.empty() && !self_.control.empty());
  MOBULA_ASSERT(config_.max_dials > 0 && config_.max_join_rounds > 0);
}

// -- the node -------------------------------------------------------------------------------------

void member_table::leave(member_effects& effects) {
  if (std::exchange(left_, true))
    return;
  for (const auto& [incarnation, who] : members_)
    if (who.session != session_id::none) {
      effects.emplace_back(send_on_link{who.link, leave_cluster{who.session}});
      effects.emplace_back(report_member_left{incarnation, who.session, departure::left});
      effects.emplace_back(forget_link{who.link});
    }
  for (const auto& [id, who] : contacts_) {
    if (who.now == phase::greeting)
      effects.emplace_back(forget_link{who.link});
    if (who.join)
      effects.emplace_back(report_join_failed{*who.join, dial_failure::lasting,
                                              "this node left its cluster before it had joined"});
  }
  members_.clear();
  sessions_.clear();
  contacts_.clear();
  queue_.clear();
  for (const auto& [timer, id] : std::exchange(timers_, {}))
    effects.emplace_back(stop_timer{timer});
}

// -- links ----------------------------------------------------------------------------------------

void member_table::received(link_id link, const member_message& message, member_effects& effects) {
  // A hello is looked at when it is known that its sender speaks as this node does.
  auto fault = std::holds_alternative<hello>(message) ? std::nullopt : fault_of(message);
  if (fault)
    reject(link, message, *fault, effects);
  else
    std::visit([&](const auto& content) { handle(link, content, effects); }, message);
  may_forget(link);
  finish(effects);
}

void member_table::link_lost(link_id link, departure why, member_effects& effects) {
  if (auto session = sessions_.find(link); session != sessions_.end()) {
    auto incarnation = session->second;
    end_session(members_.at(incarnation), why, effects);
    after_loss(incarnation, why, effects);
  }
  for (auto id : greeters_on(link))
    failed(id, dial_failure::passing, "the connection was lost during the handshake", effects);
  finish(effects);
}

void member_table::handle(link_id link, const members_changed& message, member_effects& effects) {
  auto sender = sessions_.find(link);
  if (sender == sessions_.end() || members_.at(sender->second).session != message.session) {
    if (left_)
      effects.emplace_back(send_on_link{link, leave_cluster{message.session}});
    else
      effects.emplace_back(send_on_link{link, session_over{message.session}});
    return;
  }
  auto voucher = sender->second;
  learn(voucher, message.connected, effects);
  for (const auto& incarnation : message.disconnected)
    if (auto found = members_.find(incarnation); found != members_.end()) {
      std::erase(found->second.vouchers, voucher);
      settle(incarnation, effects);
    }
}

void member_table::handle(link_id link, const session_over& message, member_effects& effects) {
  session_ended(link, message.session, departure::connection_lost, effects);
}

void member_table::handle(link_id link, const leave_cluster& message, member_effects& effects) {
  session_ended(link, message.session, departure::left, effects);
}

void member_table::session_ended(link_id link, session_id session, departure why,
                                 member_effects& effects) {
  auto sender = sessions_.find(link);
  if (sender == sessions_.end() || members_.at(sender->second).session != session)
    return;
  auto incarnation = sender->second;
  end_session(members_.at(incarnation), why, effects);
  after_loss(incarnation, why, effects);
}

// -- sessions -------------------------------------------------------------------------------------

void member_table::begin_session(link_id link, const node_record& record, session_id session,
                                 member_effects& effects) {
  const auto& incarnation = record.incarnation;
  auto has_place = make_place_for(incarnation, effects);
  MOBULA_ASSERT(has_place);
  auto& who = members_[incarnation];
  MOBULA_ASSERT(who.session == session_id::none && !sessions_.contains(link));
  who.record = record;
  who.session = session;
  who.link = link;
  who.rounds_left = 0;
  who.obstacle.clear();
  sessions_.emplace(link, incarnation);
  follow(session);
  effects.emplace_back(report_member_joined{record, session, link});
  std::vector<contact_id> through;
  for (const auto& [id, contact] : contacts_) {
    auto greets = contact.now == phase::greeting && contact.link == link;
    if (greets)
      who.reached = contact.targets[contact.next_target];
    if (greets || contact.member == incarnation)
      through.push_back(id);
  }
  for (auto id : through)
    arrived(id, incarnation, effects);
  tell_others(incarnation, {.connected = {{incarnation, record.control}}, .disconnected = {}},
              effects);
}

void member_table::end_session(member& who, departure why, member_effects& effects) {
  auto incarnation = who.record.incarnation;
  effects.emplace_back(report_member_left{incarnation, who.session, why});
  sessions_.erase(who.link);
  who.session = session_id::none;
  may_forget(who.link);
  tell_others(incarnation, {.connected = {}, .disconnected = {incarnation}}, effects);
  std::vector<incarnation_id> fewer;
  for (auto& [other, member] : members_)
    if (std::erase(member.vouchers, incarnation) > 0)
      fewer.push_back(other);
  for (const auto& other : fewer)
    settle(other, effects);
}

void member_table::after_loss(const incarnation_id& incarnation, departure why,
                              member_effects& effects) {
  auto& who = members_.at(incarnation);
  if (why != departure::connection_lost)
    return settle(incarnation, effects);
  who.rounds_left = config_.max_lost_rounds;
  contact fresh;
  fresh.member = incarnation;
  fresh.targets = targets_of(incarnation);
  wait(add_contact(std::move(fresh)), config_.first_delay + deference_to(incarnation), effects);
}

void member_table::learn(const incarnation_id& voucher, const std::vector<member_hint>& hints,
                         member_effects& effects) {
  auto is_news = [&](const member_hint& hint) {
    return hint.incarnation != self_.incarnation && hint.incarnation != voucher
           && !hint.incarnation.empty() && !hint.control.empty();
  };
  auto learn_one = [&](const member_hint& hint) {
    auto& who = members_[hint.incarnation];
    if (std::find(who.vouchers.begin(), who.vouchers.end(), voucher) == who.vouchers.end())
      who.vouchers.push_back(voucher);
    if (who.session != session_id::none)
      return;
    who.record.incarnation = hint.incarnation;
    who.record.control = hint.control;
    seek(hint.incarnation, effects);
  };
  // Who is known first: what is vouched for by then gives way to nobody.
  for (const auto& hint : hints)
    if (is_news(hint) && members_.contains(hint.incarnation))
      learn_one(hint);
  for (const auto& hint : hints) {
    if (!is_news(hint) || members_.contains(hint.incarnation))
      continue;
    // Nobody is lost meanwhile, so there is no place for those behind it either.
    if (!make_place_for(hint.incarnation, effects))
      return;
    learn_one(hint);
  }
}

void member_table::settle(const incarnation_id& incarnation, member_effects& effects) {
  auto found = members_.find(incarnation);
  if (found == members_.end() || found->second.session != session_id::none)
    return;
  const auto& who = found->second;
  if (who.rounds_left > 0 || !who.vouchers.empty())
    seek(incarnation, effects);
  else
    forget(incarnation, effects);
}

void member_table::forget(incarnation_id node, member_effects& effects) {
  if (auto* contact = contact_of(node))
    drop_contact(contact->id, effects);
  members_.erase(node);
}

bool member_table::fits(const incarnation_id& incarnation) const {
  return members_.size() < config_.max_members || members_.contains(incarnation);
}

bool member_table::has_place_for(const incarnation_id& incarnation) const {
  return fits(incarnation) || longest_lost() != members_.end();
}

bool member_table::make_place_for(const incarnation_id& incarnation, member_effects& effects) {
  if (fits(incarnation))
    return true;
  auto lost = longest_lost();
  if (lost == members_.end())
    return false;
  forget(lost->first, effects);
  return true;
}

/// One whose rounds are nearly over is the least likely to come back.
member_table::members_map::const_iterator member_table::longest_lost() const {
  auto result = members_.end();
  for (auto who = members_.begin(); who != members_.end(); ++who) {
    const auto& [incarnation, member] = *who;
    if (member.session != session_id::none || !member.vouchers.empty())
      continue;
    if (result == members_.end() || member.rounds_left < result->second.rounds_left)
      result = who;
  }
  return result;
}

void member_table::tell_others(const incarnation_id& about, members_changed change,
                               member_effects& effects) {
  for (const auto& [link, incarnation] : sessions_)
    if (incarnation != about) {
      change.session = members_.at(incarnation).session;
      effects.emplace_back(send_on_link{link, change});
    }
}

void member_table::may_forget(link_id link) {
  if (std::find(forgettable_.begin(), forgettable_.end(), link) == forgettable_.end())
    forgettable_.push_back(link);
}

void member_table::finish(member_effects& effects) {
  start_dials(effects);
  // Only now: what one step of an event had no more use for, a later one may have taken again.
  for (auto link : std::exchange(forgettable_, {}))
    if (!sessions_.contains(link) && !greeting_on(link))
      effects.emplace_back(forget_link{link});
}

std::vector<member_hint> member_table::hints_without(const incarnation_id& receiver) const {
  std::vector<member_hint> result;
  for (const auto& [incarnation, who] : members_)
    if (who.session != session_id::none && incarnation != receiver)
      result.push_back({incarnation, who.record.control});
  return result;
}

// -- properties -----------------------------------------------------------------------------------

bool member_table::has_session(const incarnation_id& incarnation) const {
  return find_connected(incarnation) != nullptr;
}

const member_table::member* member_table::find_connected(const incarnation_id& incarnation) const {
  auto found = members_.find(incarnation);
  if (found == members_.end() || found->second.session == session_id::none)
    return nullptr;
  return &found->second;
}

bool member_table::is_vouched_for(const incarnation_id& incarnation) const {
  auto found = members_.find(incarnation);
  return found != members_.end()
         && (found->second.session != session_id::none || !found->second.vouchers.empty());
}

const member_table::member* member_table::find_link(link_id link) const {
  auto session = sessions_.find(link);
  return session == sessions_.end() ? nullptr : &members_.at(session->second);
}

std::vector<const member_table::member*> member_table::connected() const {
  std::vector<const member*> result;
  for (const auto& [incarnation, who] : members_)
    if (who.session != session_id::none)
      result.push_back(&who);
  return result;
}

std::vector<const member_table::member*> member_table::unreachable() const {
  std::vector<const member*> result;
  for (const auto& [incarnation, who] : members_)
    if (!who.obstacle.empty() && !who.vouchers.empty())
      result.push_back(&who);
  return result;
}

void member_table::check_invariants() const {
  std::size_t sessions = 0;
  for (const auto& [incarnation, who] : members_) {
    // Clang 14 captures structured bindings only by name.
    auto contacts =
      std::count_if(contacts_.begin(), contacts_.end(), [&member = incarnation](const auto& entry) {
        return !entry.second.join && entry.second.member == member;
      });
    auto connected = who.session != session_id::none;
    MOBULA_ASSERT(contacts == (connected ? 0 : 1));
    MOBULA_ASSERT(connected || who.rounds_left > 0 || !who.vouchers.empty());
    MOBULA_ASSERT(!connected || sessions_.at(who.link) == incarnation);
    MOBULA_ASSERT(!connected || who.obstacle.empty());
    MOBULA_ASSERT(incarnation == who.record.incarnation && incarnation != self_.incarnation);
    for (const auto& voucher : who.vouchers)
      MOBULA_ASSERT(has_session(voucher) && voucher != incarnation);
    sessions += connected ? 1 : 0;
  }
  MOBULA_ASSERT(sessions == sessions_.size() && members_.size() <= config_.max_members);
  std::size_t queued = 0;
  std::size_t timed = 0;
  for (const auto& [id, who] : contacts_) {
    queued += who.now == phase::queued ? 1 : 0;
    timed += who.now == phase::waiting || who.now == phase::greeting ? 1 : 0;
    MOBULA_ASSERT(who.now != phase::greeting || !sessions_.contains(who.link));
    MOBULA_ASSERT(who.join || members_.contains(who.member));
  }
  MOBULA_ASSERT(queued == queue_.size() && timed == timers_.size());
  MOBULA_ASSERT(dials_.size() <= config_.max_dials);
  MOBULA_ASSERT(queue_.empty() || dials_.size() == config_.max_dials);
}

} // namespace mobula

// What begins and ends with a session: who is told of it, who vouches for whom, and who is
// forgotten.

#include "mobula/actors/protocol/membership/member_sessions.hpp"

#include <algorithm>
#include <utility>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

// -- one session ----------------------------------------------------------------------------------

void member_sessions::begin(link_id link, const node_record& record, session_id session,
                            member_effects& effects) {
  const auto& incarnation = record.incarnation;
  auto has_place = make_place_for(incarnation, effects);
  MOBULA_ASSERT(has_place);
  auto& who = members_.connect(record, session, link);
  self_.follow(session);
  effects.emplace_back(report_member_joined{record, session, link});
  contacts_.session_began(who, effects);
  tell_others(incarnation, {.connected = {{incarnation, record.control}}, .disconnected = {}},
              effects);
}

void member_sessions::end(known_member& who, departure why, member_effects& effects) {
  auto incarnation = who.record.incarnation;
  effects.emplace_back(report_member_left{incarnation, who.session, why});
  members_.disconnect(who);
  contacts_.may_forget(who.link);
  tell_others(incarnation, {.connected = {}, .disconnected = {incarnation}}, effects);
  std::vector<incarnation_id> fewer;
  for (auto& [other, member] : members_.all())
    if (std::erase(member.vouchers, incarnation) > 0)
      fewer.push_back(other);
  for (const auto& other : fewer)
    settle(other, effects);
}

void member_sessions::after_loss(const incarnation_id& incarnation, departure why,
                                 member_effects& effects) {
  if (why != departure::connection_lost)
    return settle(incarnation, effects);
  members_.at(incarnation).rounds_left = self_.config().max_lost_rounds;
  contacts_.seek_again(incarnation, effects);
}

void member_sessions::leave(member_effects& effects) {
  for (const auto& [incarnation, who] : members_.all())
    if (who.connected()) {
      effects.emplace_back(send_on_link{who.link, leave_cluster{who.session}});
      effects.emplace_back(report_member_left{incarnation, who.session, departure::left});
      effects.emplace_back(forget_link{who.link});
    }
  members_.clear();
}

void member_sessions::link_lost(link_id link, departure why, member_effects& effects) {
  const auto* known = members_.find_link(link);
  if (known == nullptr)
    return;
  auto incarnation = known->record.incarnation;
  end(members_.at(incarnation), why, effects);
  after_loss(incarnation, why, effects);
}

void member_sessions::ended(link_id link, session_id session, departure why,
                            member_effects& effects) {
  if (const auto* sender = members_.find_link(link);
      sender != nullptr && sender->session == session)
    link_lost(link, why, effects);
}

// -- what members say -----------------------------------------------------------------------------

void member_sessions::handle(link_id link, const members_changed& message,
                             member_effects& effects) {
  const auto* sender = members_.find_link(link);
  if (sender == nullptr || sender->session != message.session) {
    if (self_.has_left())
      effects.emplace_back(send_on_link{link, leave_cluster{message.session}});
    else
      effects.emplace_back(send_on_link{link, session_over{message.session}});
    return;
  }
  auto voucher = sender->record.incarnation;
  learn(voucher, message.connected, effects);
  for (const auto& incarnation : message.disconnected)
    if (auto* member = members_.find(incarnation)) {
      std::erase(member->vouchers, voucher);
      settle(incarnation, effects);
    }
}

void member_sessions::handle(link_id link, const session_over& message, member_effects& effects) {
  ended(link, message.session, departure::connection_lost, effects);
}

void member_sessions::handle(link_id link, const leave_cluster& message, member_effects& effects) {
  ended(link, message.session, departure::left, effects);
}

void member_sessions::learn(const incarnation_id& voucher, const std::vector<member_hint>& hints,
                            member_effects& effects) {
  auto is_news = [&](const member_hint& hint) {
    return hint.incarnation != self_.incarnation() && hint.incarnation != voucher
           && !hint.incarnation.empty() && !hint.control.empty();
  };
  auto learn_one = [&](const member_hint& hint) {
    auto& who = members_.add(hint.incarnation);
    if (std::find(who.vouchers.begin(), who.vouchers.end(), voucher) == who.vouchers.end())
      who.vouchers.push_back(voucher);
    if (who.connected())
      return;
    who.record.incarnation = hint.incarnation;
    who.record.control = hint.control;
    contacts_.seek(hint.incarnation, effects);
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

// -- who is known ---------------------------------------------------------------------------------

void member_sessions::settle(const incarnation_id& incarnation, member_effects& effects) {
  const auto* who = members_.find(incarnation);
  if (who == nullptr || who->connected())
    return;
  if (who->rounds_left > 0 || !who->vouchers.empty())
    contacts_.seek(incarnation, effects);
  else
    contacts_.forget(incarnation, effects);
}

bool member_sessions::make_place_for(const incarnation_id& incarnation, member_effects& effects) {
  if (members_.fits(incarnation))
    return true;
  const auto* lost = members_.longest_lost();
  if (lost == nullptr)
    return false;
  contacts_.forget(lost->record.incarnation, effects);
  return true;
}

void member_sessions::tell_others(const incarnation_id& about, members_changed change,
                                  member_effects& effects) {
  for (const auto& [link, incarnation] : members_.sessions())
    if (incarnation != about) {
      change.session = members_.at(incarnation).session;
      effects.emplace_back(send_on_link{link, change});
    }
}

void member_sessions::check_invariants() const {
  const auto& sessions = members_.sessions();
  std::size_t connected = 0;
  for (const auto& [incarnation, who] : members_.all()) {
    MOBULA_ASSERT(who.connected() || who.rounds_left > 0 || !who.vouchers.empty());
    MOBULA_ASSERT(!who.connected() || sessions.at(who.link) == incarnation);
    MOBULA_ASSERT(!who.connected() || who.obstacle.empty());
    MOBULA_ASSERT(incarnation == who.record.incarnation && incarnation != self_.incarnation());
    for (const auto& voucher : who.vouchers)
      MOBULA_ASSERT(members_.has_session(voucher) && voucher != incarnation);
    connected += who.connected() ? 1 : 0;
  }
  MOBULA_ASSERT(connected == sessions.size());
  MOBULA_ASSERT(members_.all().size() <= self_.config().max_members);
}

} // namespace mobula

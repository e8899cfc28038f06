// How the membership table dials: a contact waits, is queued, dialed and greeted, and is tried
// again or given up. What is said once the two are connected is in member_handshake.cpp.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "mobula/actors/protocol/membership/address_choice.hpp"
#include "mobula/actors/protocol/membership/member_table.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

// -- joins and dials ------------------------------------------------------------------------------

void member_table::join(join_id join, const endpoint& target, member_effects& effects) {
  auto refuse = [&](std::string text) {
    effects.emplace_back(report_join_failed{join, dial_failure::lasting, std::move(text)});
  };
  if (left_)
    return refuse("this node has left its cluster; start another one to join again");
  auto open = std::count_if(contacts_.begin(), contacts_.end(),
                            [](const auto& entry) { return entry.second.join.has_value(); });
  if (static_cast<std::size_t>(open) >= config_.max_joins)
    return refuse(fmt::format("{} joins are under way already; wait for one to end", open));
  contact fresh;
  fresh.join = join;
  fresh.targets = {target};
  queue(add_contact(std::move(fresh)));
  finish(effects);
}

void member_table::dialed(dial_id number, link_id link, member_effects& effects) {
  auto id = take_dial(number);
  if (!id) {
    may_forget(link);
  } else if (auto session = sessions_.find(link); session != sessions_.end()) {
    auto member = session->second;
    arrived(*id, member, effects);
  } else {
    greet(contacts_.at(*id), link, effects);
  }
  finish(effects);
}

void member_table::dialed_oneself(dial_id number, member_effects& effects) {
  if (auto id = take_dial(number)) {
    const auto& who = contacts_.at(*id);
    failed(*id, dial_failure::lasting,
           fmt::format("{} is this node itself; give the address of another member",
                       to_string(who.targets[who.next_target])),
           effects);
  }
  finish(effects);
}

void member_table::dial_failed(dial_id number, dial_failure kind, const std::string& text,
                               member_effects& effects) {
  if (auto id = take_dial(number))
    failed(*id, kind, text, effects);
  finish(effects);
}

void member_table::timer_fired(timer_id timer, member_effects& effects) {
  auto awaited = timers_.extract(timer);
  if (awaited.empty())
    return;
  auto& who = contacts_.at(awaited.mapped());
  if (who.now == phase::waiting) {
    queue(who);
  } else {
    MOBULA_ASSERT(who.now == phase::greeting);
    // The patience of others may last longer.
    if (greeters_on(who.link).size() == 1)
      effects.emplace_back(drop_link{who.link});
    failed(who.id, dial_failure::silent,
           fmt::format("the node at {} did not answer within {} ms; is it stopped?",
                       to_string(who.targets[who.next_target]),
                       config_.handshake_timeout / std::chrono::milliseconds{1}),
           effects);
  }
  finish(effects);
}

// -- a contact's way ------------------------------------------------------------------------------

member_table::contact& member_table::add_contact(contact fresh) {
  fresh.id = contact_id{++last_contact_};
  return contacts_.emplace(fresh.id, std::move(fresh)).first->second;
}

member_table::contact* member_table::contact_of(const incarnation_id& member) {
  for (auto& [id, who] : contacts_)
    if (!who.join && who.member == member)
      return &who;
  return nullptr;
}

void member_table::seek(const incarnation_id& member, member_effects& effects) {
  if (contact_of(member) != nullptr)
    return;
  contact fresh;
  fresh.member = member;
  fresh.targets = targets_of(member);
  auto& who = add_contact(std::move(fresh));
  if (auto delay = deference_to(member); delay.count() > 0)
    wait(who, delay, effects);
  else
    queue(who);
}

void member_table::queue(contact& who) {
  who.now = phase::queued;
  queue_.push_back(who.id);
}

void member_table::wait(contact& who, std::chrono::nanoseconds delay, member_effects& effects) {
  who.now = phase::waiting;
  who.timer = timer_id{++last_timer_};
  timers_.emplace(who.timer, who.id);
  effects.emplace_back(start_timer{who.timer, delay});
}

void member_table::greet(contact& who, link_id link, member_effects& effects) {
  auto first = !greeting_on(link);
  // The wait only sets the timer; the phase says what it is for.
  wait(who, config_.handshake_timeout, effects);
  who.now = phase::greeting;
  who.link = link;
  if (first)
    say_hello(link, session_id::none, effects);
}

std::optional<member_table::contact_id> member_table::take_dial(dial_id number) {
  auto entry = dials_.extract(number);
  MOBULA_ASSERT(!entry.empty());
  auto who = contacts_.find(entry.mapped());
  if (who == contacts_.end())
    return std::nullopt;
  MOBULA_ASSERT(who->second.now == phase::dialing);
  return who->first;
}

void member_table::start_dials(member_effects& effects) {
  while (!queue_.empty() && dials_.size() < config_.max_dials) {
    auto& who = contacts_.at(queue_.front());
    queue_.pop_front();
    MOBULA_ASSERT(who.now == phase::queued);
    who.now = phase::dialing;
    dial_id number{++last_dial_};
    dials_.emplace(number, who.id);
    effects.emplace_back(dial{number, who.targets[who.next_target], dial_limit(who)});
  }
}

// -- a contact's end ------------------------------------------------------------------------------

void member_table::arrived(contact_id id, const incarnation_id& member, member_effects& effects) {
  const auto& who = contacts_.at(id);
  if (who.join)
    effects.emplace_back(report_join_succeeded{*who.join, member});
  else if (who.member != member)
    return failed(id, dial_failure::passing, "another node answers there", effects);
  drop_contact(id, effects);
}

void member_table::failed(contact_id id, dial_failure kind, std::string text,
                          member_effects& effects) {
  auto& who = contacts_.at(id);
  who.failure = std::move(text);
  if (!who.join)
    who.failures += (who.failures.empty() ? "" : "; ") + who.failure;
  if (who.now == phase::greeting) {
    end_wait(who, effects);
    who.now = phase::waiting;
    may_forget(who.link);
  }
  if (++who.next_target < who.targets.size()) {
    queue(who);
    return;
  }
  who.next_target = 0;
  ++who.rounds;
  if (who.join)
    join_round_failed(who, kind, effects);
  else
    member_round_failed(who, effects);
}

void member_table::join_round_failed(contact& who, dial_failure kind, member_effects& effects) {
  if (kind == dial_failure::silent)
    ++who.silent_rounds;
  auto again = kind == dial_failure::passing
                 ? who.rounds < config_.max_join_rounds
                 : kind == dial_failure::silent && who.silent_rounds < config_.max_silent_rounds;
  if (again)
    return wait(who, delay_after(who.rounds), effects);
  auto text = std::move(who.failure);
  if (who.rounds > 1)
    text += fmt::format(" (tried {} times)", who.rounds);
  effects.emplace_back(report_join_failed{*who.join, kind, std::move(text)});
  drop_contact(who.id, effects);
}

void member_table::member_round_failed(contact& who, member_effects& effects) {
  auto& lost = members_.at(who.member);
  if (lost.rounds_left > 0)
    --lost.rounds_left;
  if (lost.rounds_left > 0 || !lost.vouchers.empty()) {
    note_obstacle(who, lost, effects);
    return wait(who, delay_after(who.rounds), effects);
  }
  forget(who.member, effects);
}

void member_table::note_obstacle(contact& who, member& lost, member_effects& effects) {
  auto failures = std::exchange(who.failures, {});
  if (lost.vouchers.empty() || who.rounds < config_.unreachable_rounds)
    return;
  auto is_news = lost.obstacle.empty();
  lost.obstacle = std::move(failures);
  if (is_news)
    effects.emplace_back(report_member_unreachable{
      who.member,
      fmt::format(
        "cannot connect to node {}, which other members are connected to ({}): {}; let the "
        "two connect to each other, or tell with mobula.advertise where they can",
        to_string(who.member), lost.vouchers.size(), lost.obstacle)});
}

void member_table::end_wait(contact& who, member_effects& effects) {
  if (timers_.erase(who.timer) > 0)
    effects.emplace_back(stop_timer{who.timer});
}

void member_table::drop_contact(contact_id id, member_effects& effects) {
  auto entry = contacts_.extract(id);
  auto& who = entry.mapped();
  end_wait(who, effects);
  std::erase(queue_, id);
  if (who.now == phase::greeting)
    may_forget(who.link);
}

// -- looking at contacts --------------------------------------------------------------------------

bool member_table::greeting_on(link_id link) const {
  return std::any_of(contacts_.begin(), contacts_.end(), [link](const auto& entry) {
    return entry.second.now == phase::greeting && entry.second.link == link;
  });
}

std::vector<member_table::contact_id> member_table::greeters_on(link_id link) const {
  std::vector<contact_id> result;
  for (const auto& [id, who] : contacts_)
    if (who.now == phase::greeting && who.link == link)
      result.push_back(id);
  return result;
}

bool member_table::greets(link_id link, const incarnation_id& member) const {
  return std::any_of(contacts_.begin(), contacts_.end(), [&](const auto& entry) {
    const auto& who = entry.second;
    return who.now == phase::greeting && (who.link == link || who.member == member);
  });
}

std::vector<endpoint> member_table::targets_of(const incarnation_id& member) const {
  const auto& who = members_.at(member);
  return reached_first(who.record.control, who.reached);
}

std::chrono::nanoseconds member_table::dial_limit(const contact& who) const {
  if (who.targets.size() == 1)
    return config_.handshake_timeout;
  auto limit = config_.first_dial_limit;
  for (std::uint32_t round = 0; round < who.rounds && limit < config_.handshake_timeout; ++round)
    limit *= 2;
  return std::min(limit, config_.handshake_timeout);
}

std::chrono::nanoseconds member_table::delay_after(std::uint32_t rounds) const {
  auto delay = config_.first_delay;
  for (std::uint32_t round = 1; round < rounds && delay < config_.longest_delay; ++round)
    delay *= 2;
  return std::min(delay, config_.longest_delay);
}

std::chrono::nanoseconds member_table::deference_to(const incarnation_id& member) const {
  return self_.incarnation < member ? std::chrono::nanoseconds::zero() : config_.deference;
}

} // namespace mobula

// How the membership table dials: a contact waits, is queued, dialed and greeted, and is tried
// again or given up. What is said once the two are connected is in member_handshake.cpp.

#include "mobula/actors/protocol/membership/member_contacts.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "mobula/actors/protocol/membership/address_choice.hpp"
#include "mobula/serialization/counted.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

std::vector<endpoint> targets_of(const known_member& who) {
  return reached_first(who.record.control, who.reached);
}

std::chrono::nanoseconds dial_limit(const member_config& config, const member_contact& who) {
  if (who.targets.size() == 1)
    return config.handshake_timeout;
  auto limit = config.first_dial_limit;
  for (std::uint32_t round = 0; round < who.rounds && limit < config.handshake_timeout; ++round)
    limit *= 2;
  return std::min(limit, config.handshake_timeout);
}

std::chrono::nanoseconds delay_after(const member_config& config, std::uint32_t rounds) {
  auto delay = config.first_delay;
  for (std::uint32_t round = 1; round < rounds && delay < config.longest_delay; ++round)
    delay *= 2;
  return std::min(delay, config.longest_delay);
}

/// By how much a node dials later than the one that it dials would.
std::chrono::nanoseconds deference_of(const local_member& self, const incarnation_id& member) {
  return self.incarnation() < member ? std::chrono::nanoseconds::zero() : self.config().deference;
}

/// A node that others are connected to cannot be reached from here.
void note_obstacle(const member_config& config, member_contact& who, known_member& lost,
                   member_effects& effects) {
  auto failures = std::exchange(who.failures, {});
  if (lost.vouchers.empty() || who.rounds < config.unreachable_rounds)
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

} // namespace

// -- joins and dials ------------------------------------------------------------------------------

void member_contacts::join(join_id join, const endpoint& target, member_effects& effects) {
  auto refuse = [&](std::string text) {
    effects.emplace_back(report_join_failed{join, dial_failure::lasting, std::move(text)});
  };
  if (self_.has_left())
    return refuse("this node has left its cluster; start another one to join again");
  auto open = std::count_if(contacts_.begin(), contacts_.end(),
                            [](const auto& entry) { return entry.second.join.has_value(); });
  if (static_cast<std::size_t>(open) >= self_.config().max_joins)
    return refuse(fmt::format("{} under way already; wait for one to end",
                              counted(static_cast<std::size_t>(open), "join is", "joins are")));
  member_contact fresh;
  fresh.join = join;
  fresh.targets = {target};
  queue(add(std::move(fresh)));
  finish(effects);
}

void member_contacts::leave(member_effects& effects) {
  for (const auto& [id, who] : contacts_) {
    if (who.now == contact_phase::greeting)
      effects.emplace_back(forget_link{who.link});
    if (who.join)
      effects.emplace_back(report_join_failed{*who.join, dial_failure::lasting,
                                              "this node left its cluster before it had joined"});
  }
  contacts_.clear();
  queue_.clear();
  for (const auto& [timer, id] : std::exchange(timers_, {}))
    effects.emplace_back(stop_timer{timer});
}

void member_contacts::finish(member_effects& effects) {
  start_dials(effects);
  // Only now: what one step of an event had no more use for, a later one may have taken again.
  for (auto link : std::exchange(forgettable_, {}))
    if (members_.find_link(link) == nullptr && !greeting_on(link))
      effects.emplace_back(forget_link{link});
}

void member_contacts::dialed(dial_id number, link_id link, member_effects& effects) {
  auto id = take_dial(number);
  if (!id) {
    may_forget(link);
  } else if (const auto* member = members_.find_link(link)) {
    auto incarnation = member->record.incarnation;
    arrived(*id, incarnation, effects);
  } else {
    greet(contacts_.at(*id), link, effects);
  }
  finish(effects);
}

void member_contacts::dialed_oneself(dial_id number, member_effects& effects) {
  if (auto id = take_dial(number)) {
    const auto& who = contacts_.at(*id);
    failed(*id, dial_failure::lasting,
           fmt::format("{} is this node itself; give the address of another member",
                       to_string(who.targets[who.next_target])),
           effects);
  }
  finish(effects);
}

void member_contacts::dial_failed(dial_id number, dial_failure kind, const std::string& text,
                                  member_effects& effects) {
  if (auto id = take_dial(number))
    failed(*id, kind, text, effects);
  finish(effects);
}

void member_contacts::timer_fired(timer_id timer, member_effects& effects) {
  auto awaited = timers_.extract(timer);
  if (awaited.empty())
    return;
  auto& who = contacts_.at(awaited.mapped());
  if (who.now == contact_phase::waiting) {
    queue(who);
  } else {
    MOBULA_ASSERT(who.now == contact_phase::greeting);
    // The patience of others may last longer.
    if (greeters_on(who.link).size() == 1)
      effects.emplace_back(drop_link{who.link});
    failed(who.id, dial_failure::silent,
           fmt::format("the node at {} did not answer within {} ms; is it stopped?",
                       to_string(who.targets[who.next_target]),
                       self_.config().handshake_timeout / std::chrono::milliseconds{1}),
           effects);
  }
  finish(effects);
}

// -- a contact's way ------------------------------------------------------------------------------

member_contact& member_contacts::add(member_contact fresh) {
  fresh.id = contact_id{++last_contact_};
  return contacts_.emplace(fresh.id, std::move(fresh)).first->second;
}

member_contact* member_contacts::contact_of(const incarnation_id& member) {
  for (auto& [id, who] : contacts_)
    if (!who.join && who.member == member)
      return &who;
  return nullptr;
}

void member_contacts::seek(const incarnation_id& member, member_effects& effects) {
  if (contact_of(member) != nullptr)
    return;
  member_contact fresh;
  fresh.member = member;
  fresh.targets = targets_of(members_.at(member));
  auto& who = add(std::move(fresh));
  if (auto delay = deference_of(self_, member); delay.count() > 0)
    wait(who, delay, effects);
  else
    queue(who);
}

void member_contacts::seek_again(const incarnation_id& member, member_effects& effects) {
  member_contact fresh;
  fresh.member = member;
  fresh.targets = targets_of(members_.at(member));
  wait(add(std::move(fresh)), self_.config().first_delay + deference_of(self_, member), effects);
}

void member_contacts::forget(incarnation_id node, member_effects& effects) {
  if (auto* contact = contact_of(node))
    drop(contact->id, effects);
  members_.erase(node);
}

void member_contacts::queue(member_contact& who) {
  who.now = contact_phase::queued;
  queue_.push_back(who.id);
}

void member_contacts::wait(member_contact& who, std::chrono::nanoseconds delay,
                           member_effects& effects) {
  who.now = contact_phase::waiting;
  who.timer = timer_id{++last_timer_};
  timers_.emplace(who.timer, who.id);
  effects.emplace_back(start_timer{who.timer, delay});
}

void member_contacts::greet(member_contact& who, link_id link, member_effects& effects) {
  auto first = !greeting_on(link);
  // The wait only sets the timer; the phase says what it is for.
  wait(who, self_.config().handshake_timeout, effects);
  who.now = contact_phase::greeting;
  who.link = link;
  if (first)
    effects.emplace_back(send_on_link{link, self_.greet(session_id::none)});
}

std::optional<contact_id> member_contacts::take_dial(dial_id number) {
  auto entry = dials_.extract(number);
  MOBULA_ASSERT(!entry.empty());
  auto who = contacts_.find(entry.mapped());
  if (who == contacts_.end())
    return std::nullopt;
  MOBULA_ASSERT(who->second.now == contact_phase::dialing);
  return who->first;
}

void member_contacts::start_dials(member_effects& effects) {
  while (!queue_.empty() && dials_.size() < self_.config().max_dials) {
    auto& who = contacts_.at(queue_.front());
    queue_.pop_front();
    MOBULA_ASSERT(who.now == contact_phase::queued);
    who.now = contact_phase::dialing;
    dial_id number{++last_dial_};
    dials_.emplace(number, who.id);
    effects.emplace_back(
      dial{number, who.targets[who.next_target], dial_limit(self_.config(), who)});
  }
}

// -- a contact's end ------------------------------------------------------------------------------

void member_contacts::session_began(known_member& who, member_effects& effects) {
  const auto& incarnation = who.record.incarnation;
  std::vector<contact_id> through;
  for (const auto& [id, contact] : contacts_) {
    auto greets = contact.now == contact_phase::greeting && contact.link == who.link;
    if (greets)
      who.reached = contact.targets[contact.next_target];
    if (greets || contact.member == incarnation)
      through.push_back(id);
  }
  for (auto id : through)
    arrived(id, incarnation, effects);
}

void member_contacts::arrived(contact_id id, const incarnation_id& member,
                              member_effects& effects) {
  const auto& who = contacts_.at(id);
  if (who.join)
    effects.emplace_back(report_join_succeeded{*who.join, member});
  else if (who.member != member)
    return failed(id, dial_failure::passing, "another node answers there", effects);
  drop(id, effects);
}

void member_contacts::failed(contact_id id, dial_failure kind, std::string text,
                             member_effects& effects) {
  auto& who = contacts_.at(id);
  who.failure = std::move(text);
  if (!who.join)
    who.failures += (who.failures.empty() ? "" : "; ") + who.failure;
  if (who.now == contact_phase::greeting) {
    end_wait(who, effects);
    who.now = contact_phase::waiting;
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

void member_contacts::join_round_failed(member_contact& who, dial_failure kind,
                                        member_effects& effects) {
  if (kind == dial_failure::silent)
    ++who.silent_rounds;
  auto again =
    kind == dial_failure::passing
      ? who.rounds < self_.config().max_join_rounds
      : kind == dial_failure::silent && who.silent_rounds < self_.config().max_silent_rounds;
  if (again)
    return wait(who, delay_after(self_.config(), who.rounds), effects);
  auto text = std::move(who.failure);
  if (who.rounds > 1)
    text += fmt::format(" (tried {} times)", who.rounds);
  effects.emplace_back(report_join_failed{*who.join, kind, std::move(text)});
  drop(who.id, effects);
}

void member_contacts::member_round_failed(member_contact& who, member_effects& effects) {
  auto& lost = members_.at(who.member);
  if (lost.rounds_left > 0)
    --lost.rounds_left;
  if (lost.rounds_left > 0 || !lost.vouchers.empty()) {
    note_obstacle(self_.config(), who, lost, effects);
    return wait(who, delay_after(self_.config(), who.rounds), effects);
  }
  forget(who.member, effects);
}

void member_contacts::end_wait(member_contact& who, member_effects& effects) {
  if (timers_.erase(who.timer) > 0)
    effects.emplace_back(stop_timer{who.timer});
}

void member_contacts::drop(contact_id id, member_effects& effects) {
  auto entry = contacts_.extract(id);
  auto& who = entry.mapped();
  end_wait(who, effects);
  std::erase(queue_, id);
  if (who.now == contact_phase::greeting)
    may_forget(who.link);
}

void member_contacts::may_forget(link_id link) {
  if (std::find(forgettable_.begin(), forgettable_.end(), link) == forgettable_.end())
    forgettable_.push_back(link);
}

// -- properties -----------------------------------------------------------------------------------

bool member_contacts::greeting_on(link_id link) const {
  return std::any_of(contacts_.begin(), contacts_.end(), [link](const auto& entry) {
    return entry.second.now == contact_phase::greeting && entry.second.link == link;
  });
}

std::vector<contact_id> member_contacts::greeters_on(link_id link) const {
  std::vector<contact_id> result;
  for (const auto& [id, who] : contacts_)
    if (who.now == contact_phase::greeting && who.link == link)
      result.push_back(id);
  return result;
}

bool member_contacts::greets(link_id link, const incarnation_id& member) const {
  return std::any_of(contacts_.begin(), contacts_.end(), [&](const auto& entry) {
    const auto& who = entry.second;
    return who.now == contact_phase::greeting && (who.link == link || who.member == member);
  });
}

/// A join has found whom it dials when the other side said hello itself.
bool member_contacts::seeks(const incarnation_id& member) const {
  return std::ranges::any_of(contacts_,
                             [&](const auto& entry) { return entry.second.member == member; });
}

void member_contacts::check_invariants() const {
  for (const auto& [incarnation, who] : members_.all()) {
    // Clang 14 captures structured bindings only by name.
    auto contacts =
      std::count_if(contacts_.begin(), contacts_.end(), [&member = incarnation](const auto& entry) {
        return !entry.second.join && entry.second.member == member;
      });
    MOBULA_ASSERT(contacts == (who.connected() ? 0 : 1));
  }
  std::size_t queued = 0;
  std::size_t timed = 0;
  for (const auto& [id, who] : contacts_) {
    auto is_timed = who.now == contact_phase::waiting || who.now == contact_phase::greeting;
    queued += who.now == contact_phase::queued ? 1 : 0;
    timed += is_timed ? 1 : 0;
    MOBULA_ASSERT(who.now != contact_phase::greeting || members_.find_link(who.link) == nullptr);
    MOBULA_ASSERT(who.join || members_.contains(who.member));
  }
  MOBULA_ASSERT(queued == queue_.size() && timed == timers_.size());
  MOBULA_ASSERT(dials_.size() <= self_.config().max_dials);
  MOBULA_ASSERT(queue_.empty() || dials_.size() == self_.config().max_dials);
}

} // namespace mobula

// Which node has published which name. Each member tells all others, and of two publications the
// one with the lower number counts everywhere, so that all agree without asking anybody.

#include "mobula/actors/protocol/names/name_table.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>

#include "mobula/serialization/counted.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

/// Far more than are published in a node's life; what is added to it in one does not overflow.
constexpr auto max_followed = std::uint64_t{1} << 62U;

std::pair<publish_number, incarnation_id> rank(const name_table::publication& which) {
  return {which.number, which.publisher};
}

} // namespace

name_table::name_table(const incarnation_id& self, name_config config)
  : self_(self), config_(config) {
  MOBULA_ASSERT(!self.empty());
}

// -- this node's names ----------------------------------------------------------------------------

std::optional<std::string> name_table::publish(const std::string& name,
                                               std::vector<std::byte> payload,
                                               name_effects& effects, own_name if_own) {
  if (name.empty() || name.size() > config_.max_name_bytes)
    return fmt::format("the name \"{:.40}\" has {} bytes; use 1 to {}", name, name.size(),
                       config_.max_name_bytes);
  if (payload.size() > config_.max_payload_bytes)
    return fmt::format("what \"{}\" stands for has {} bytes; publish a reference instead of more "
                       "than {}",
                       name, payload.size(), config_.max_payload_bytes);
  // One that this node keeps stands first: it would have lost the name otherwise.
  if (const auto* mine = own(name); mine != nullptr && if_own == own_name::replace) {
    replace(*mine, name, std::move(payload), effects);
    return std::nullopt;
  }
  if (const auto* present = lookup(name))
    return fmt::format("the name \"{}\" is taken by node {}; choose another, or unpublish it there "
                       "first",
                       name, to_string(present->publisher));
  if (auto count = counts_.find(self_);
      count != counts_.end() && count->second >= config_.max_names)
    return fmt::format("this node has published {}, which is the most; unpublish some",
                       counted(count->second, "name"));
  published_name fresh{name, publish_number{++last_number_}, std::move(payload)};
  insert(self_, fresh);
  tell_all({.withdrawn = {}, .published = {std::move(fresh)}}, effects);
  return std::nullopt;
}

void name_table::replace(const publication& mine, const std::string& name,
                         std::vector<std::byte> payload, name_effects& effects) {
  published_name fresh{name, mine.number, std::move(payload)};
  remove(self_, name, fresh.number);
  insert(self_, fresh);
  tell_all({.withdrawn = {}, .published = {std::move(fresh)}}, effects);
}

void name_table::unpublish(const std::string& name, name_effects& effects) {
  const auto* mine = own(name);
  if (mine == nullptr)
    return;
  withdrawn_name gone{name, mine->number};
  remove(self_, name, gone.number);
  tell_all({.withdrawn = {std::move(gone)}, .published = {}}, effects);
}

// -- members --------------------------------------------------------------------------------------

void name_table::member_joined(const incarnation_id& member, session_id session,
                               name_effects& effects) {
  auto fresh = sessions_.emplace(member, session).second;
  MOBULA_ASSERT(fresh && member != self_);
  names_changed some{.session = session, .withdrawn = {}, .published = {}};
  std::size_t bytes = 0;
  auto tell = [&] {
    if (!some.published.empty())
      effects.emplace_back(tell_names{member, some});
    some.published.clear();
    bytes = 0;
  };
  for (const auto& [name, known] : names_) {
    const auto* mine = own(name);
    if (mine == nullptr)
      continue;
    auto more = name.size() + mine->payload.size() + sizeof(mine->number);
    if (bytes + more > config_.max_message_bytes)
      tell();
    bytes += more;
    some.published.push_back({name, mine->number, mine->payload});
  }
  tell();
}

void name_table::member_left(const incarnation_id& member) {
  auto known = sessions_.erase(member) == 1;
  MOBULA_ASSERT(known);
  if (!counts_.contains(member))
    return;
  std::vector<std::string> gone;
  for (const auto& [name, known_by] : names_)
    if (std::any_of(known_by.begin(), known_by.end(),
                    [&](const auto& each) { return each.publisher == member; }))
      gone.push_back(name);
  for (const auto& name : gone)
    remove(member, name, std::nullopt);
}

void name_table::received(const incarnation_id& member, const names_changed& message,
                          name_effects& effects) {
  auto sender = sessions_.find(member);
  if (sender == sessions_.end() || sender->second != message.session)
    return;
  for (const auto& gone : message.withdrawn)
    remove(member, gone.name, gone.number);
  for (const auto& fresh : message.published) {
    // A number that nobody counted to would make this node's next one overflow, and so the least.
    if (auto number = static_cast<std::uint64_t>(fresh.number); number <= max_followed)
      last_number_ = std::max(last_number_, number);
    remove(member, fresh.name, std::nullopt);
    // A publisher keeps to its bounds itself; one that does not harms only its own names.
    if (auto objection = objection_to(member, fresh)) {
      ignore(member, *objection, effects);
      continue;
    }
    insert(member, fresh);
    const auto* mine = own(fresh.name);
    const auto* first = lookup(fresh.name);
    if (mine == nullptr || mine == first)
      continue;
    effects.emplace_back(report_name_taken{fresh.name, first->publisher});
    unpublish(fresh.name, effects);
  }
}

// -- publications ---------------------------------------------------------------------------------

std::optional<std::string> name_table::objection_to(const incarnation_id& publisher,
                                                    const published_name& fresh) const {
  if (fresh.number == publish_number{0})
    return "a name has the number 0, and counting begins with 1";
  if (fresh.name.empty() || fresh.name.size() > config_.max_name_bytes)
    return fmt::format("a name has {} bytes, not 1 to {}", fresh.name.size(),
                       config_.max_name_bytes);
  if (fresh.payload.size() > config_.max_payload_bytes)
    return fmt::format("what a name stands for has {} bytes, more than {}", fresh.payload.size(),
                       config_.max_payload_bytes);
  if (auto count = counts_.find(publisher);
      count != counts_.end() && count->second >= config_.max_names)
    return fmt::format("it has published {}, which is the most", counted(count->second, "name"));
  return std::nullopt;
}

void name_table::ignore(const incarnation_id& publisher, const std::string& why,
                        name_effects& effects) {
  if (std::has_single_bit(++ignored_))
    effects.emplace_back(report_name_ignored{fmt::format(
      "ignored a name of node {}: {} ({} of these so far)", to_string(publisher), why, ignored_)});
}

void name_table::insert(const incarnation_id& publisher, const published_name& fresh) {
  auto& known = names_[fresh.name];
  publication added{publisher, fresh.number, fresh.payload};
  auto position = std::find_if(known.begin(), known.end(),
                               [&](const auto& each) { return rank(added) < rank(each); });
  known.insert(position, std::move(added));
  ++counts_[publisher];
}

void name_table::remove(const incarnation_id& publisher, const std::string& name,
                        std::optional<publish_number> number) {
  auto found = names_.find(name);
  if (found == names_.end())
    return;
  auto removed = std::erase_if(found->second, [&](const auto& each) {
    return each.publisher == publisher && (!number || each.number == *number);
  });
  MOBULA_ASSERT(removed <= 1);
  if (found->second.empty())
    names_.erase(found);
  if (removed > 0 && --counts_.at(publisher) == 0)
    counts_.erase(publisher);
}

void name_table::tell_all(const names_changed& change, name_effects& effects) const {
  for (const auto& [member, session] : sessions_) {
    auto message = change;
    message.session = session;
    effects.emplace_back(tell_names{member, std::move(message)});
  }
}

// -- properties -----------------------------------------------------------------------------------

const name_table::publication* name_table::lookup(std::string_view name) const {
  auto found = names_.find(name);
  return found == names_.end() ? nullptr : &found->second.front();
}

const name_table::publication* name_table::own(const std::string& name) const {
  auto found = names_.find(name);
  if (found == names_.end())
    return nullptr;
  for (const auto& each : found->second)
    if (each.publisher == self_)
      return &each;
  return nullptr;
}

void name_table::check_invariants() const {
  std::map<incarnation_id, std::size_t> counts;
  for (const auto& [name, known] : names_) {
    MOBULA_ASSERT(!known.empty());
    for (std::size_t index = 0; index < known.size(); ++index) {
      const auto& each = known[index];
      MOBULA_ASSERT(index == 0 || rank(known[index - 1]) < rank(each));
      MOBULA_ASSERT(each.publisher == self_ ? index == 0 : sessions_.contains(each.publisher));
      MOBULA_ASSERT(each.publisher != self_
                    || static_cast<std::uint64_t>(each.number) <= last_number_);
      ++counts[each.publisher];
    }
  }
  MOBULA_ASSERT(counts == counts_);
}

} // namespace mobula

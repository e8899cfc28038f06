// Finds the lookups that are under way by the name they wait for, or the publisher they asked, so
// that news touch only those that they concern.

#include "mobula/actors/protocol/names/name_searches.hpp"

#include "mobula/store/system/assertion.hpp"

namespace mobula {

void name_searches::add(search_number number, const std::string& name) {
  auto fresh = searches_.emplace(number, search{.name = name, .asked = std::nullopt}).second;
  MOBULA_ASSERT(fresh);
  by_name_[name].insert(number);
}

void name_searches::ask(search_number number, const incarnation_id& publisher) {
  auto& which = searches_.at(number);
  unlist(number, which);
  which.asked = publisher;
  by_publisher_[publisher].insert(number);
}

void name_searches::ask_nobody(search_number number) {
  auto& which = searches_.at(number);
  unlist(number, which);
  which.asked.reset();
  by_name_[which.name].insert(number);
}

void name_searches::remove(search_number number) {
  auto over = searches_.extract(number);
  if (!over.empty())
    unlist(number, over.mapped());
}

void name_searches::clear() {
  searches_.clear();
  by_name_.clear();
  by_publisher_.clear();
}

template <class Index, class Key>
void name_searches::drop(Index& index, const Key& key, search_number number) {
  auto found = index.find(key);
  found->second.erase(number);
  if (found->second.empty())
    index.erase(found);
}

void name_searches::unlist(search_number number, const search& which) {
  if (which.asked)
    drop(by_publisher_, *which.asked, number);
  else
    drop(by_name_, which.name, number);
}

// -- properties -----------------------------------------------------------------------------------

std::optional<incarnation_id> name_searches::asked(search_number number) const {
  auto found = searches_.find(number);
  return found == searches_.end() ? std::nullopt : found->second.asked;
}

std::vector<search_number> name_searches::waiting_for(std::string_view name) const {
  auto found = by_name_.find(name);
  return found == by_name_.end()
           ? std::vector<search_number>{}
           : std::vector<search_number>(found->second.begin(), found->second.end());
}

std::vector<search_number> name_searches::asked_of(const incarnation_id& publisher) const {
  auto found = by_publisher_.find(publisher);
  return found == by_publisher_.end()
           ? std::vector<search_number>{}
           : std::vector<search_number>(found->second.begin(), found->second.end());
}

void name_searches::check_invariants() const {
  std::size_t listed = 0;
  for (const auto& [name, numbers] : by_name_) {
    MOBULA_ASSERT(!numbers.empty());
    listed += numbers.size();
    for (auto number : numbers)
      MOBULA_ASSERT(searches_.at(number).name == name && !searches_.at(number).asked);
  }
  for (const auto& [publisher, numbers] : by_publisher_) {
    MOBULA_ASSERT(!numbers.empty());
    listed += numbers.size();
    for (auto number : numbers)
      MOBULA_ASSERT(searches_.at(number).asked == publisher);
  }
  MOBULA_ASSERT(listed == searches_.size());
}

} // namespace mobula

// How long this node waits for owners that references name and that it has no session with: as long
// as somebody vouches for them, but no longer than some rounds.

#include "mobula/actors/protocol/membership/owner_search.hpp"

#include <utility>

namespace mobula {

bool owner_search::begin(const incarnation_id& owner) {
  rounds_.try_emplace(owner, 0);
  return !std::exchange(running_, true);
}

void owner_search::found(const incarnation_id& owner) {
  rounds_.erase(owner);
  running_ = !rounds_.empty();
}

std::vector<incarnation_id>
owner_search::round_over(const std::function<bool(const incarnation_id&)>& is_vouched_for) {
  std::vector<incarnation_id> result;
  for (auto each = rounds_.begin(); each != rounds_.end();) {
    auto& [owner, rounds] = *each;
    ++rounds;
    // The first round may have begun long before the search for this owner.
    if (rounds < max_rounds && (rounds < 2 || is_vouched_for(owner))) {
      ++each;
      continue;
    }
    result.push_back(owner);
    each = rounds_.erase(each);
  }
  running_ = !rounds_.empty();
  return result;
}

} // namespace mobula

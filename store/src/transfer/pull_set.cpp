// The pulls of a node, by object.

#include "mobula/store/transfer/pull_set.hpp"

#include <algorithm>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

pull_set::insertion pull_set::insert(const object_id& id) {
  auto [position, fresh] = pulls_.try_emplace(id);
  if (fresh)
    position->second.number = ++numbered_;
  return {position->second, fresh};
}

pull_state* pull_set::find(const object_id& id) {
  auto position = pulls_.find(id);
  return position == pulls_.end() ? nullptr : &position->second;
}

const pull_state* pull_set::find(const object_id& id) const {
  auto position = pulls_.find(id);
  return position == pulls_.end() ? nullptr : &position->second;
}

pull_state& pull_set::get(const object_id& id) {
  auto* known = find(id);
  MOBULA_ASSERT(known != nullptr);
  return *known;
}

std::vector<object_id> pull_set::with_source(const incarnation_id& node) const {
  std::vector<object_id> result;
  for (const auto& [id, entry] : pulls_)
    if (entry.sources.contains(node))
      result.push_back(id);
  std::ranges::sort(result);
  return result;
}

} // namespace mobula

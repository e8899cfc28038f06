// Which source a pull asks: the closest, the one that is asked least, and not the same on each
// node.

#include "mobula/store/transfer/source_list.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace mobula {

namespace {

/// Orders equally good copies, differently on each node and for each object. (The multipliers are
/// those of SplitMix64.)
std::uint64_t shuffled(const incarnation_id& self, const incarnation_id& node,
                       const object_id& id) noexcept {
  auto mixed = (self.high ^ self.low) + 3 * (node.high ^ node.low) + 5 * id.sequence;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
  return mixed ^ (mixed >> 31);
}

} // namespace

void source_list::adopt(const location_news& news, const incarnation_id& self,
                        std::size_t max_sources) {
  auto before = std::exchange(sources_, {});
  if (news.readiness == object_readiness::pending)
    return;
  auto adopt_those = [&](copy_distance distance) {
    for (const auto& copy : news.copies) {
      auto same = [&](const source& other) {
        return other.copy.node == copy.node;
      };
      if (copy.distance != distance || copy.node == self || sources_.size() >= max_sources
          || std::ranges::any_of(sources_, same))
        continue;
      auto known = std::ranges::find_if(before, same);
      sources_.push_back({copy, known == before.end() ? trust::usable : known->state});
    }
  };
  adopt_those(copy_distance::same_host);
  adopt_those(copy_distance::other_host);
}

void source_list::distrust(const incarnation_id& node) {
  for (auto& known : sources_)
    if (known.copy.node == node)
      known.state = trust::backed_off;
  if (current_ == node)
    current_.reset();
}

void source_list::trust_all() {
  for (auto& known : sources_)
    known.state = trust::usable;
}

void source_list::drop(const incarnation_id& node) {
  distrust(node);
  std::erase_if(sources_, [&](const auto& known) { return known.copy.node == node; });
}

std::optional<incarnation_id> source_list::pick(const object_id& id, const incarnation_id& self,
                                                const pull_asks& asks) const {
  const source* best = nullptr;
  auto rank = [&](const source& known) {
    return std::tuple{known.copy.distance, asks.count_to(known.copy.node),
                      shuffled(self, known.copy.node, id)};
  };
  for (const auto& known : sources_) {
    if (known.state == trust::backed_off)
      continue;
    if (current_ == known.copy.node)
      return current_;
    if (best == nullptr || rank(known) < rank(*best))
      best = &known;
  }
  return best == nullptr ? std::nullopt : std::optional{best->copy.node};
}

bool source_list::contains(const incarnation_id& node) const {
  return std::ranges::any_of(sources_, [&](const auto& known) { return known.copy.node == node; });
}

} // namespace mobula

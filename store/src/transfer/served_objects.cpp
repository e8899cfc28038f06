// The objects that others ask this node for: found once for all who ask, kept while they ask.

#include "mobula/store/transfer/served_objects.hpp"

#include <algorithm>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

served_object* served_objects::find(const object_id& id) {
  auto position = objects_.find(id);
  return position == objects_.end() ? nullptr : &position->second;
}

served_object& served_objects::get(const object_id& id) {
  auto* known = find(id);
  MOBULA_ASSERT(known != nullptr);
  return *known;
}

std::optional<refusal_reason> served_objects::objection(const incarnation_id& reader,
                                                        const object_range& range) const {
  auto position = objects_.find(range.id);
  if (position == objects_.end())
    return std::nullopt;
  const auto& object = position->second;
  if (object.state == served_state::gone)
    return refusal_reason::not_here;
  if (object.readers.size() >= max_readers_ && !object.readers.contains(reader))
    return refusal_reason::busy;
  if (object.state == served_state::found
      && range.offset_bytes + range.length_bytes > object.size_bytes)
    return refusal_reason::out_of_range;
  return std::nullopt;
}

void served_objects::add(const object_id& id, const ask_key& key, const incarnation_id& reader,
                         push_effects& effects) {
  auto [object, fresh] = objects_.try_emplace(id);
  if (fresh)
    effects.push_back(find_served{id});
  object->second.asks.insert(key);
  ++object->second.readers[reader];
}

void served_objects::remove(const object_id& id, const ask_key& key, const incarnation_id& reader,
                            push_effects& effects) {
  auto& object = get(id);
  object.asks.erase(key);
  auto asks = object.readers.find(reader);
  if (--asks->second == 0)
    object.readers.erase(asks);
  tidy(id, effects);
}

void served_objects::tidy(const object_id& id, push_effects& effects) {
  auto& object = get(id);
  if (object.sends > 0 || object.state == served_state::finding)
    return;
  if (object.asks.empty()) {
    effects.push_back(release_served{id});
    objects_.erase(id);
  } else if (object.state == served_state::stale) {
    effects.push_back(release_served{id});
    effects.push_back(find_served{id});
    object.state = served_state::finding;
    object.available = {};
  }
}

// -- properties ---------------------------------------------------------------------

std::vector<object_id> served_objects::sorted() const {
  std::vector<object_id> result;
  for (const auto& [id, object] : objects_)
    result.push_back(id);
  std::ranges::sort(result);
  return result;
}

void served_objects::check_invariants(std::size_t asks, std::size_t sends) const {
  std::size_t object_asks = 0;
  std::size_t object_sends = 0;
  for (const auto& [id, object] : objects_) {
    MOBULA_ASSERT(!object.asks.empty() || object.sends > 0
                  || object.state == served_state::finding);
    MOBULA_ASSERT(object.readers.size() <= max_readers_);
    object_asks += object.asks.size();
    object_sends += object.sends;
  }
  MOBULA_ASSERT(object_asks == asks && object_sends == sends);
}

} // namespace mobula

// How requests to a store end, and which shard is told of it.

#include "mobula/store/shard/store_requests.hpp"

#include <utility>

#include "mobula/store/arena/arena_slot.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

void store_requests::tell(store_effects& effects, const object_id& id, shard_effect effect) const {
  effects.push_back({home_shard(id.sequence, shards_), std::move(effect)});
}

void store_requests::tell_first(store_effects& effects, shard_effect effect) {
  constexpr std::uint32_t first_shard = 0;
  effects.push_back({first_shard, std::move(effect)});
}

void store_requests::add(request_token token, const object_id& id) {
  auto fresh = waiting_.emplace(token, id).second;
  MOBULA_ASSERT(fresh);
}

const object_id* store_requests::find(request_token token) const {
  auto known = waiting_.find(token);
  return known == waiting_.end() ? nullptr : &known->second;
}

void store_requests::refuse(request_token token, const object_id& id, refusal error,
                            std::size_t size_bytes, store_effects& effects) {
  ++counters_.refusals;
  tell(effects, id, refuse_request{token, id, error, size_bytes, objects_.use()});
}

void store_requests::refuse_readers(store_object& entry, refusal error, store_effects& effects) {
  for (auto token : std::exchange(entry.readers, {})) {
    remove(token);
    refuse(token, entry.id, error, entry.size_bytes, effects);
  }
}

void store_requests::serve_readers(store_object& entry, store_effects& effects) {
  for (auto token : std::exchange(entry.readers, {})) {
    remove(token);
    tell(effects, entry.id, serve_copy{token, entry.id});
  }
}

} // namespace mobula

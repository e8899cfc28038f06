// Who waits for space in a store, and who gets it next.

#include "mobula/store/shard/store_queue.hpp"

#include <utility>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

bool store_queue::create(request_token token, const object_id& id, std::size_t size_bytes,
                         copy_kind kind, store_effects& effects) {
  if (empty() && fits(size_bytes)) {
    auto& entry = objects_.insert(id, size_bytes, kind, store_place::unsealed);
    entry.creator = token;
    entry.granted_after = pieces_.returns();
    requests_.tell(effects, id, grant_create{token, id, size_bytes});
  } else if (objects_.places().tally(store_place::waiting).objects < config_.max_waiting) {
    requests_.add(token, id);
    ++counters_.waits;
    objects_.insert(id, size_bytes, kind, store_place::waiting).creator = token;
  } else {
    requests_.refuse(token, id, refusal::too_many_waiting, size_bytes, effects);
    return false;
  }
  return true;
}

void store_queue::start_restore(store_object& entry, store_effects& effects) {
  objects_.arrive_anew(entry);
  entry.overtaken_bytes = 0;
  auto first_in_line = empty();
  objects_.move(entry, store_place::restore_waiting);
  if (first_in_line && fits(entry.size_bytes))
    grant(entry, effects);
  else
    ++counters_.waits;
}

void store_queue::take_back(store_object& entry) {
  ++counters_.waits;
  // What it did not take after all, it took from nobody.
  if (auto* oldest = objects_.places().queue().front();
      oldest != nullptr && oldest->arrival == entry.overtook)
    oldest->overtaken_bytes -= entry.size_bytes;
  pieces_.refused(entry.size_bytes, entry.granted_after);
  if (entry.where == store_place::restoring) {
    if (entry.readers.empty())
      objects_.move(entry, store_place::spilled);
    else
      objects_.move(entry, store_place::restore_waiting);
  } else {
    MOBULA_ASSERT(entry.where == store_place::unsealed);
    requests_.add(entry.creator, entry.id);
    objects_.move(entry, store_place::waiting);
  }
}

void store_queue::grant_waiting(store_effects& effects) {
  while (auto* oldest = objects_.places().queue().front()) {
    if (!fits(oldest->size_bytes))
      return let_overtake(*oldest, effects);
    grant(*oldest, effects);
  }
}

void store_queue::let_overtake(store_object& oldest, store_effects& effects) {
  auto* next = oldest.next;
  for (std::size_t seen = 0; next != nullptr && seen < config_.overtaking_window; ++seen) {
    auto& younger = *std::exchange(next, next->next);
    auto allowed = oldest.size_bytes - oldest.overtaken_bytes;
    if (!fits(younger.size_bytes) || younger.size_bytes > allowed)
      continue;
    oldest.overtaken_bytes += younger.size_bytes;
    ++counters_.overtakings;
    grant(younger, effects);
    younger.overtook = oldest.arrival;
  }
}

void store_queue::grant(store_object& entry, store_effects& effects) {
  if (entry.where == store_place::waiting) {
    requests_.remove(entry.creator);
    objects_.move(entry, store_place::unsealed);
    entry.granted_after = pieces_.returns();
    entry.overtook = 0;
    requests_.tell(effects, entry.id, grant_create{entry.creator, entry.id, entry.size_bytes});
  } else {
    MOBULA_ASSERT(entry.where == store_place::restore_waiting && !entry.readers.empty());
    objects_.move(entry, store_place::restoring);
    entry.granted_after = pieces_.returns();
    entry.overtook = 0;
    requests_.tell(effects, entry.id, restore_object{entry.id, entry.size_bytes});
  }
}

void store_queue::refuse(store_object& entry, refusal error, store_effects& effects) {
  if (entry.where == store_place::restore_waiting) {
    requests_.refuse_readers(entry, error, effects);
    objects_.move(entry, store_place::spilled);
    return;
  }
  MOBULA_ASSERT(entry.where == store_place::waiting);
  requests_.remove(entry.creator);
  requests_.refuse(entry.creator, entry.id, error, entry.size_bytes, effects);
  requests_.refuse_readers(entry, refusal::not_here, effects);
  objects_.erase(entry);
}

} // namespace mobula

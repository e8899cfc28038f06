// How objects leave the memory of a store: released, evicted, or on disk only.

#include "mobula/store/shard/store_exits.hpp"

#include "mobula/store/system/assertion.hpp"

namespace mobula {

void store_exits::become_idle(store_object& entry, store_effects& effects) {
  if (entry.released)
    return relief_.ask_release(entry, effects);
  objects_.move(entry, store_place::idle);
  requests_.serve_readers(entry, effects);
}

void store_exits::release(store_object& entry, store_effects& effects) {
  entry.released = true;
  auto had_bytes_on_disk = entry.has_record || entry.where == store_place::spilling;
  switch (entry.where) {
    case store_place::waiting:
      queue_.refuse(entry, refusal::released, effects);
      return;
    case store_place::idle:
    case store_place::pinned:
      relief_.ask_release(entry, effects);
      break;
    case store_place::spilled:
    case store_place::restore_waiting:
      requests_.tell(effects, entry.id, forget_spill{entry.id});
      requests_.refuse_readers(entry, refusal::released, effects);
      objects_.erase(entry);
      return;
    default:
      // The creator, an answer or the I/O still has the memory; the rest follows when it ends.
      break;
  }
  requests_.refuse_readers(entry, refusal::released, effects);
  entry.has_record = false;
  if (had_bytes_on_disk)
    requests_.tell(effects, entry.id, forget_spill{entry.id});
}

void store_exits::give_away_space(store_object& entry, store_effects& effects) {
  if (!entry.has_record) {
    MOBULA_ASSERT(entry.kind == copy_kind::secondary);
    counters_.evictions.add(entry.size_bytes);
    requests_.refuse_readers(entry, refusal::not_here, effects);
    erase(entry, free_reason::evicted, effects);
    return;
  }
  counters_.unloads.add(entry.size_bytes);
  unload(entry, free_reason::spilled, effects);
  if (!entry.readers.empty())
    queue_.start_restore(entry, effects);
}

void store_exits::unload(store_object& entry, free_reason reason, store_effects& effects) {
  give_back(entry, reason, effects);
  entry.known_use = use_stamp{};
  entry.unpin_hint = false;
  objects_.move(entry, store_place::spilled);
}

void store_exits::erase(store_object& entry, free_reason reason, store_effects& effects) {
  give_back(entry, reason, effects);
  objects_.erase(entry);
}

void store_exits::give_back(const store_object& entry, free_reason reason, store_effects& effects) {
  requests_.tell(effects, entry.id, free_copy{entry.id, entry.size_bytes, reason});
  relief_.freed(entry.size_bytes);
  pieces_.memory_came_back();
  stalls_.end(effects);
}

} // namespace mobula

// How objects come to the store and go, and how requests end: granted, served or refused.

#include <algorithm>
#include <utility>

#include "mobula/store/arena/arena_slot.hpp"
#include "mobula/store/shard/store_table.hpp"

namespace mobula {

// -- objects ----------------------------------------------------------------------

store_table::object* store_table::find(const object_id& id) {
  auto position = objects_.find(id);
  return position == objects_.end() ? nullptr : &position->second;
}

store_table::object& store_table::get(const object_id& id, place expected) {
  auto* entry = find(id);
  MOBULA_ASSERT(entry != nullptr && entry->where == expected);
  return *entry;
}

store_table::object& store_table::insert(const object_id& id, std::size_t size_bytes,
                                         copy_kind kind, place where) {
  auto [position, fresh] = objects_.try_emplace(id);
  MOBULA_ASSERT(fresh);
  auto& entry = position->second;
  entry.id = id;
  entry.size_bytes = size_bytes;
  entry.kind = kind;
  entry.where = where;
  entry.arrival = ++arrivals_;
  places_.enter(entry);
  MOBULA_ASSERT(used_bytes() <= config_.capacity_bytes);
  return entry;
}

void store_table::erase(object& entry) {
  MOBULA_ASSERT(entry.readers.empty());
  places_.leave(entry);
  objects_.erase(objects_.find(entry.id));
}

void store_table::move(object& entry, place to) {
  places_.move(entry, to);
  MOBULA_ASSERT(used_bytes() <= config_.capacity_bytes);
}

void store_table::free_memory(object& entry, free_reason reason, place next,
                              store_effects& effects) {
  give_back(entry, reason, effects);
  entry.known_use = use_stamp{};
  entry.unpin_hint = false;
  move(entry, next);
}

void store_table::free_and_erase(object& entry, free_reason reason, store_effects& effects) {
  give_back(entry, reason, effects);
  erase(entry);
}

void store_table::give_back(const object& entry, free_reason reason, store_effects& effects) {
  tell(effects, entry.id, free_copy{entry.id, entry.size_bytes, reason});
  freed_in_spell_bytes_ += entry.size_bytes;
  pieces_.memory_came_back();
  end_stall(effects);
}

std::size_t store_table::used_bytes() const noexcept {
  return places_.memory_bytes() + lent_bytes_;
}

std::size_t store_table::free_bytes() const noexcept {
  return config_.capacity_bytes - used_bytes();
}

void store_table::tell(store_effects& effects, const object_id& id, shard_effect effect) const {
  effects.push_back({home_shard(id.sequence, config_.shards), std::move(effect)});
}

// -- requests ---------------------------------------------------------------------

void store_table::refuse(request_token token, const object_id& id, refusal error,
                         std::size_t size_bytes, store_effects& effects) {
  ++counters_.refusals;
  tell(effects, id, refuse_request{token, id, error, size_bytes, use()});
}

void store_table::refuse_readers(object& entry, refusal error, store_effects& effects) {
  for (auto token : std::exchange(entry.readers, {})) {
    requests_.erase(token);
    refuse(token, entry.id, error, entry.size_bytes, effects);
  }
}

void store_table::refuse_waiting(object& entry, refusal error, store_effects& effects) {
  if (entry.where == place::restore_waiting) {
    refuse_readers(entry, error, effects);
    move(entry, place::spilled);
    return;
  }
  MOBULA_ASSERT(entry.where == place::waiting);
  requests_.erase(entry.creator);
  refuse(entry.creator, entry.id, error, entry.size_bytes, effects);
  refuse_readers(entry, refusal::not_here, effects);
  erase(entry);
}

void store_table::serve_readers(object& entry, store_effects& effects) {
  for (auto token : std::exchange(entry.readers, {})) {
    requests_.erase(token);
    tell(effects, entry.id, serve_copy{token, entry.id});
  }
}

void store_table::grant(object& entry, store_effects& effects) {
  if (entry.where == place::waiting) {
    requests_.erase(entry.creator);
    move(entry, place::unsealed);
    entry.granted_after = pieces_.returns();
    entry.overtook = 0;
    tell(effects, entry.id, grant_create{entry.creator, entry.id, entry.size_bytes});
  } else {
    MOBULA_ASSERT(entry.where == place::restore_waiting && !entry.readers.empty());
    move(entry, place::restoring);
    entry.granted_after = pieces_.returns();
    entry.overtook = 0;
    tell(effects, entry.id, restore_object{entry.id, entry.size_bytes});
  }
}

void store_table::start_restore(object& entry, store_effects& effects) {
  entry.arrival = ++arrivals_;
  entry.overtaken_bytes = 0;
  auto first_in_line = places_.queue().empty();
  move(entry, place::restore_waiting);
  if (first_in_line && fits(entry.size_bytes))
    grant(entry, effects);
  else
    ++counters_.waits;
}

void store_table::become_idle(object& entry, store_effects& effects) {
  if (entry.released)
    return ask_release(entry, effects);
  move(entry, place::idle);
  serve_readers(entry, effects);
}

} // namespace mobula

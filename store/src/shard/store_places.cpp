// Where objects are, what that adds up to, and the ends of requests.

#include <algorithm>
#include <utility>

#include "mobula/store/arena/arena_slot.hpp"
#include "mobula/store/shard/store_table.hpp"

namespace mobula {

// -- places -----------------------------------------------------------------------

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
  enter(entry);
  return entry;
}

void store_table::erase(object& entry) {
  MOBULA_ASSERT(entry.readers.empty());
  leave(entry);
  objects_.erase(objects_.find(entry.id));
}

void store_table::move(object& entry, place to) {
  leave(entry);
  entry.where = to;
  enter(entry);
}

store_table::list_member store_table::list_of(const object& entry) const noexcept {
  if (in_queue(entry.where))
    return &store_table::queue_;
  if (entry.where != place::idle)
    return nullptr;
  if (entry.kind == copy_kind::secondary || entry.has_record)
    return &store_table::evictable_;
  return is_set_aside(entry) ? &store_table::set_aside_ : &store_table::spillable_;
}

void store_table::enter(object& entry) {
  tally_at(entry.where, entry.kind).add(entry.size_bytes);
  if (in_memory(entry.where))
    memory_bytes_ += entry.size_bytes;
  if (in_queue(entry.where))
    enqueue(entry);
  else if (auto list = list_of(entry))
    (this->*list).push_back(entry);
  MOBULA_ASSERT(used_bytes() <= config_.capacity_bytes);
}

/// By arrival: one that comes back goes before those that came later. These are few: it was the
/// oldest, or within the window of those that may overtake.
void store_table::enqueue(object& entry) {
  auto* later = queue_.front();
  if (later == nullptr || queue_.back()->arrival < entry.arrival)
    return queue_.push_back(entry);
  while (later->arrival < entry.arrival)
    later = later->next;
  queue_.insert_before(*later, entry);
}

void store_table::leave(object& entry) {
  tally_at(entry.where, entry.kind).remove(entry.size_bytes);
  if (in_memory(entry.where))
    memory_bytes_ -= entry.size_bytes;
  if (auto list = list_of(entry))
    (this->*list).remove(entry);
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
  memory_came_back();
  end_stall(effects);
}

void store_table::memory_came_back() noexcept {
  ++returns_;
  refused_bytes_.reset();
}

std::size_t store_table::used_bytes() const noexcept {
  return memory_bytes_ + lent_bytes_;
}

std::size_t store_table::free_bytes() const noexcept {
  return config_.capacity_bytes - used_bytes();
}

object_tally store_table::tally(place where) const noexcept {
  auto sum = tally_at(where, copy_kind::primary);
  return sum += tally_at(where, copy_kind::secondary);
}

object_tally& store_table::tally_at(place where, copy_kind kind) noexcept {
  return tallies_[static_cast<std::size_t>(where)][static_cast<std::size_t>(kind)];
}

object_tally store_table::tally_at(place where, copy_kind kind) const noexcept {
  return tallies_[static_cast<std::size_t>(where)][static_cast<std::size_t>(kind)];
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
    entry.granted_after = returns_;
    entry.overtook = 0;
    tell(effects, entry.id, grant_create{entry.creator, entry.id, entry.size_bytes});
  } else {
    MOBULA_ASSERT(entry.where == place::restore_waiting && !entry.readers.empty());
    move(entry, place::restoring);
    entry.granted_after = returns_;
    entry.overtook = 0;
    tell(effects, entry.id, restore_object{entry.id, entry.size_bytes});
  }
}

void store_table::start_restore(object& entry, store_effects& effects) {
  entry.arrival = ++arrivals_;
  entry.overtaken_bytes = 0;
  auto first_in_line = queue_.empty();
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

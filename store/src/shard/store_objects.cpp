// How objects come to the store and go, and what they add up to.

#include "mobula/store/shard/store_objects.hpp"

namespace mobula {

store_object* store_objects::find(const object_id& id) {
  auto position = objects_.find(id);
  return position == objects_.end() ? nullptr : &position->second;
}

store_object& store_objects::get(const object_id& id, store_place expected) {
  auto* entry = find(id);
  MOBULA_ASSERT(entry != nullptr && entry->where == expected);
  return *entry;
}

store_object& store_objects::insert(const object_id& id, std::size_t size_bytes, copy_kind kind,
                                    store_place where) {
  auto [position, fresh] = objects_.try_emplace(id);
  MOBULA_ASSERT(fresh);
  auto& entry = position->second;
  entry.id = id;
  entry.size_bytes = size_bytes;
  entry.kind = kind;
  entry.where = where;
  arrive_anew(entry);
  places_.enter(entry);
  MOBULA_ASSERT(used_bytes() <= capacity_bytes_);
  return entry;
}

void store_objects::erase(store_object& entry) {
  MOBULA_ASSERT(entry.readers.empty());
  places_.leave(entry);
  objects_.erase(objects_.find(entry.id));
}

void store_objects::move(store_object& entry, store_place to) {
  places_.move(entry, to);
  MOBULA_ASSERT(used_bytes() <= capacity_bytes_);
}

// -- sums -------------------------------------------------------------------------

store_use store_objects::use() const {
  auto bytes = [this](auto... places) {
    return (places_.tally(places).bytes + ...);
  };
  return {.capacity_bytes = capacity_bytes_,
          .pinned_bytes = bytes(store_place::pinned, store_place::doomed),
          .kept_bytes = bytes(store_place::idle),
          .moving_bytes = bytes(store_place::asked, store_place::releasing, store_place::spilling),
          .making_bytes = bytes(store_place::unsealed, store_place::restoring),
          .lent_bytes = lent_bytes_};
}

void store_objects::add_to(store_table_stats& stats) const {
  for (auto where : {store_place::idle, store_place::asked, store_place::pinned}) {
    stats.primary += places_.tally_at(where, copy_kind::primary);
    stats.secondary += places_.tally_at(where, copy_kind::secondary);
  }
  stats.unsealed = places_.tally(store_place::unsealed);
  stats.spilling = places_.tally(store_place::spilling);
  stats.doomed = places_.tally(store_place::releasing);
  stats.doomed += places_.tally(store_place::doomed);
  stats.restoring = places_.tally(store_place::restoring);
  stats.lent_bytes = lent_bytes_;
  stats.used_bytes = used_bytes();
  stats.capacity_bytes = capacity_bytes_;
  stats.spilled = places_.tally(store_place::spilled);
  stats.spilled += places_.tally(store_place::restore_waiting);
  stats.waiting = places_.tally(store_place::waiting);
  stats.waiting += places_.tally(store_place::restore_waiting);
}

void store_objects::check_invariants() const {
  for (const auto& [id, entry] : objects_)
    MOBULA_ASSERT(entry.id == id);
  places_.check_invariants(objects_);
  MOBULA_ASSERT(used_bytes() <= capacity_bytes_);
  MOBULA_ASSERT(use().free_bytes() == free_bytes());
}

} // namespace mobula

// What clients, shards and the spill manager tell the store's table, and what becomes of the object
// that it is about. How requests end is in store_requests.cpp, how space is made in
// store_relief.cpp.

#include "mobula/store/shard/store_table.hpp"

#include <algorithm>
#include <utility>

namespace mobula {

store_table::store_table(const store_config& config)
  : config_(config), threshold_bytes_(static_cast<std::size_t>(
                       static_cast<double>(config.capacity_bytes) * config.spill_threshold)),
    low_water_bytes_(
      static_cast<std::size_t>(static_cast<double>(config.capacity_bytes) * config.low_water)) {
  MOBULA_ASSERT(config.capacity_bytes > 0 && config.low_water >= 0
                && config.low_water <= config.spill_threshold && config.spill_threshold <= 1
                && config.shards > 0);
}

// -- clients --------------------------------------------------------------------

void store_table::create(request_token token, const object_id& id, std::size_t size_bytes,
                         copy_kind kind, store_effects& effects) {
  if (shutting_down_)
    return refuse(token, id, refusal::shutting_down, size_bytes, effects);
  if (contains(id))
    return refuse(token, id, refusal::already_exists, size_bytes, effects);
  if (size_bytes > config_.capacity_bytes)
    return refuse(token, id, refusal::larger_than_store, size_bytes, effects);
  if (places_.queue().empty() && fits(size_bytes)) {
    auto& entry = insert(id, size_bytes, kind, place::unsealed);
    entry.creator = token;
    entry.granted_after = pieces_.returns();
    tell(effects, id, grant_create{token, id, size_bytes});
  } else if (places_.tally(place::waiting).objects < config_.max_waiting) {
    auto fresh = requests_.emplace(token, id).second;
    MOBULA_ASSERT(fresh);
    ++counters_.waits;
    insert(id, size_bytes, kind, place::waiting).creator = token;
  } else {
    return refuse(token, id, refusal::too_many_waiting, size_bytes, effects);
  }
  settle(effects);
}

void store_table::seal(const object_id& id, store_effects& effects) {
  auto& entry = get(id, place::unsealed);
  creator_is_done(entry, effects);
  become_idle(entry, effects);
  settle(effects);
}

void store_table::abort(const object_id& id, store_effects& effects) {
  auto& entry = get(id, place::unsealed);
  refuse_readers(entry, refusal::not_here, effects);
  free_and_erase(entry, free_reason::aborted, effects);
  settle(effects);
}

void store_table::request_copy(request_token token, const object_id& id, store_effects& effects) {
  if (shutting_down_)
    return refuse(token, id, refusal::shutting_down, 0, effects);
  auto* entry = find(id);
  if (entry == nullptr || entry->released)
    return refuse(token, id, entry == nullptr ? refusal::not_here : refusal::released, 0, effects);
  if (entry->where == place::idle) {
    // Being asked for is a use.
    move(*entry, place::idle);
    tell(effects, id, serve_copy{token, id});
    return;
  }
  if (entry->where == place::pinned || entry->where == place::spilling) {
    tell(effects, id, serve_copy{token, id});
    return;
  }
  auto fresh = requests_.emplace(token, id).second;
  MOBULA_ASSERT(fresh);
  entry->readers.push_back(token);
  if (entry->where == place::spilled) {
    start_restore(*entry, effects);
    settle(effects);
  }
}

void store_table::cancel(request_token token, store_effects& effects) {
  auto request = requests_.find(token);
  if (request == requests_.end())
    return;
  auto& entry = *find(request->second);
  requests_.erase(request);
  if (entry.where == place::waiting && entry.creator == token) {
    refuse_readers(entry, refusal::not_here, effects);
    erase(entry);
  } else {
    auto erased = std::erase(entry.readers, token);
    MOBULA_ASSERT(erased == 1);
    // A read that runs is let run: its copy may serve the next reader.
    if (entry.readers.empty() && entry.where == place::restore_waiting)
      move(entry, place::spilled);
  }
  settle(effects);
}

void store_table::release(const object_id& id, store_effects& effects) {
  auto* entry = find(id);
  if (entry == nullptr || entry->released)
    return;
  release_object(*entry, effects);
  settle(effects);
}

void store_table::release_object(object& entry, store_effects& effects) {
  entry.released = true;
  auto had_bytes_on_disk = entry.has_record || entry.where == place::spilling;
  switch (entry.where) {
    case place::waiting:
      refuse_waiting(entry, refusal::released, effects);
      return;
    case place::idle:
    case place::pinned:
      ask_release(entry, effects);
      break;
    case place::spilled:
    case place::restore_waiting:
      tell(effects, entry.id, forget_spill{entry.id});
      refuse_readers(entry, refusal::released, effects);
      erase(entry);
      return;
    default:
      // The creator, an answer or the I/O still has the memory; the rest follows when it ends.
      break;
  }
  refuse_readers(entry, refusal::released, effects);
  entry.has_record = false;
  if (had_bytes_on_disk)
    tell(effects, entry.id, forget_spill{entry.id});
}

// -- the heap ---------------------------------------------------------------------

void store_table::memory_refused(const object_id& id, store_effects& effects) {
  auto* entry = find(id);
  MOBULA_ASSERT(entry != nullptr && !entry->released);
  ++counters_.waits;
  // What it did not take after all, it took from nobody.
  if (auto* oldest = places_.queue().front();
      oldest != nullptr && oldest->arrival == entry->overtook)
    oldest->overtaken_bytes -= entry->size_bytes;
  pieces_.refused(entry->size_bytes, entry->granted_after);
  if (entry->where == place::restoring) {
    if (entry->readers.empty())
      move(*entry, place::spilled);
    else
      move(*entry, place::restore_waiting);
  } else {
    MOBULA_ASSERT(entry->where == place::unsealed);
    requests_.emplace(entry->creator, id);
    move(*entry, place::waiting);
  }
  settle(effects);
}

// -- credit -----------------------------------------------------------------------

void store_table::lend(std::size_t max_bytes, store_effects& effects) {
  auto bytes = std::min(max_bytes, lendable_bytes());
  lent_bytes_ += bytes;
  credit_may_idle_ = credit_may_idle_ || bytes > 0;
  effects.push_back({first_shard, lend_credit{bytes}});
  settle(effects);
}

void store_table::take_back(std::size_t bytes, store_effects& effects) {
  MOBULA_ASSERT(bytes <= lent_bytes_);
  lent_bytes_ -= bytes;
  pieces_.memory_came_back();
  end_stall(effects);
  settle(effects);
}

void store_table::recall_answered(std::size_t bytes, store_effects& effects) {
  MOBULA_ASSERT(recalling_);
  recalling_ = false;
  // Nobody took memory for it: the heap is as before.
  MOBULA_ASSERT(bytes <= lent_bytes_);
  lent_bytes_ -= bytes;
  if (bytes > 0)
    end_stall(effects);
  settle(effects);
}

void store_table::add_sealed(const object_id& id, std::size_t size_bytes, copy_kind kind,
                             store_effects& effects) {
  MOBULA_ASSERT(size_bytes <= lent_bytes_);
  lent_bytes_ -= size_bytes;
  // Nothing is lent while somebody waits: its creator was there before.
  end_stall(effects);
  auto& entry = insert(id, size_bytes, kind, place::unsealed);
  entry.released = shutting_down_;
  become_idle(entry, effects);
  settle(effects);
}

// -- answers about pins -------------------------------------------------------------

void store_table::reclaim_succeeded(const object_id& id, store_effects& effects) {
  auto* entry = find(id);
  MOBULA_ASSERT(entry != nullptr);
  if (entry->released) {
    MOBULA_ASSERT(entry->where == place::releasing
                  || (entry->where == place::asked && entry->asked == question::give_space));
    free_and_erase(*entry, free_reason::released, effects);
  } else {
    MOBULA_ASSERT(entry->where == place::asked && entry->asked == question::give_space);
    give_away_space(*entry, effects);
  }
  settle(effects);
}

void store_table::give_away_space(object& entry, store_effects& effects) {
  if (!entry.has_record) {
    MOBULA_ASSERT(entry.kind == copy_kind::secondary);
    counters_.evictions.add(entry.size_bytes);
    refuse_readers(entry, refusal::not_here, effects);
    free_and_erase(entry, free_reason::evicted, effects);
    return;
  }
  counters_.unloads.add(entry.size_bytes);
  free_memory(entry, free_reason::spilled, place::spilled, effects);
  if (!entry.readers.empty())
    start_restore(entry, effects);
}

void store_table::reclaim_refused(const object_id& id, reclaim_obstacle obstacle,
                                  use_stamp last_use, store_effects& effects) {
  auto* entry = find(id);
  MOBULA_ASSERT(entry != nullptr);
  auto hinted = std::exchange(entry->unpin_hint, false);
  entry->known_use = last_use;
  if (entry->where == place::releasing) {
    MOBULA_ASSERT(obstacle == reclaim_obstacle::pinned);
    if (hinted)
      ask_release(*entry, effects);
    else
      move(*entry, place::doomed);
    return settle(effects);
  }
  MOBULA_ASSERT(entry->where == place::asked);
  if (obstacle == reclaim_obstacle::used)
    entry->spared = spell_;
  if (obstacle == reclaim_obstacle::pinned && !hinted && !entry->released) {
    move(*entry, place::pinned);
    serve_readers(*entry, effects);
  } else {
    become_idle(*entry, effects);
  }
  settle(effects);
}

void store_table::found_idle(const object_id& id, store_effects& effects) {
  auto& entry = get(id, place::asked);
  MOBULA_ASSERT(entry.asked == question::is_idle);
  entry.unpin_hint = false;
  if (entry.released) {
    ask_release(entry, effects);
  } else {
    move(entry, place::spilling);
    tell(effects, id, spill_object{id, entry.size_bytes});
    serve_readers(entry, effects);
  }
  settle(effects);
}

void store_table::unpinned(const object_id& id, store_effects& effects) {
  auto* entry = find(id);
  if (entry == nullptr)
    return;
  switch (entry->where) {
    case place::asked:
    case place::releasing:
      // The question may have been answered before the last reader left.
      entry->unpin_hint = true;
      return;
    case place::pinned:
      become_idle(*entry, effects);
      break;
    case place::doomed:
      ask_release(*entry, effects);
      break;
    default:
      return;
  }
  settle(effects);
}

// -- answers from the spill manager ---------------------------------------------------

void store_table::spill_finished(const object_id& id, store_effects& effects) {
  auto& entry = get(id, place::spilling);
  counters_.spills.add(entry.size_bytes);
  disk_.wrote();
  end_stall(effects);
  if (entry.released) {
    ask_release(entry, effects);
  } else {
    entry.has_record = true;
    move(entry, place::idle);
    // It was the least recently used before the write, and costs nothing to drop now.
    places_.evict_next(entry);
  }
  settle(effects);
}

void store_table::spill_failed(const object_id& id, spill_error error, spill_round round,
                               store_effects& effects) {
  auto& entry = get(id, place::spilling);
  MOBULA_ASSERT(error != spill_error::canceled || entry.released);
  if (error != spill_error::canceled)
    ++counters_.spill_failures;
  if (error == spill_error::beyond_limit) {
    entry.set_aside_in = round;
    disk_.found_beyond_limit(entry.size_bytes, round);
  } else if (error != spill_error::canceled) {
    disk_.failed(round);
  }
  become_idle(entry, effects);
  settle(effects);
}

void store_table::spilling_possible(spill_round round, store_effects& effects) {
  disk_.began(round);
  places_.return_set_aside();
  settle(effects);
}

void store_table::restore_finished(const object_id& id, store_effects& effects) {
  auto& entry = get(id, place::restoring);
  counters_.restores.add(entry.size_bytes);
  end_stall(effects);
  become_idle(entry, effects);
  settle(effects);
}

void store_table::restore_failed(const object_id& id, restore_error error, store_effects& effects) {
  auto& entry = get(id, place::restoring);
  MOBULA_ASSERT(error != restore_error::canceled || entry.released);
  if (entry.released) {
    free_and_erase(entry, free_reason::released, effects);
  } else if (error == restore_error::record_lost) {
    refuse_readers(entry, refusal::copy_lost, effects);
    free_and_erase(entry, free_reason::restore_failed, effects);
  } else {
    refuse_readers(entry, refusal::restore_failed, effects);
    free_memory(entry, free_reason::restore_failed, place::spilled, effects);
  }
  settle(effects);
}

// -- the caller's own -----------------------------------------------------------------

void store_table::shut_down(store_effects& effects) {
  MOBULA_ASSERT(!shutting_down_);
  shutting_down_ = true;
  while (auto* entry = places_.queue().front())
    refuse_waiting(*entry, refusal::shutting_down, effects);
  std::vector<object_id> ids;
  ids.reserve(objects_.size());
  for (const auto& [id, entry] : objects_)
    ids.push_back(id);
  std::ranges::sort(ids); // A replay must see the same order.
  for (const auto& id : ids) {
    auto& entry = *find(id);
    refuse_readers(entry, refusal::shutting_down, effects);
    if (!entry.released)
      release_object(entry, effects);
  }
  recall(effects);
  settle(effects);
}

} // namespace mobula

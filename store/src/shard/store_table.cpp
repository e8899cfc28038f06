// What clients, shards and the spill manager tell the store's table, and what becomes of the object
// that it is about. Who gets space is decided in store_queue.cpp, how it is made in
// store_relief.cpp.

#include "mobula/store/shard/store_table.hpp"

#include <algorithm>
#include <utility>

namespace mobula {

store_table::store_table(const store_config& config)
  : objects_(config.capacity_bytes, disk_), requests_(config.shards, objects_, counters_),
    queue_(config, objects_, pieces_, requests_, counters_),
    relief_(config, objects_, disk_, pieces_, requests_),
    stalls_(config.shards, objects_, disk_, relief_, queue_, counters_),
    exits_(objects_, pieces_, requests_, queue_, relief_, stalls_, counters_),
    status_(objects_, queue_, relief_, stalls_) {
  MOBULA_ASSERT(config.capacity_bytes > 0 && config.low_water >= 0
                && config.low_water <= config.spill_threshold && config.spill_threshold <= 1
                && config.shards > 0);
}

// -- clients --------------------------------------------------------------------

void store_table::create(request_token token, const object_id& id, std::size_t size_bytes,
                         copy_kind kind, store_effects& effects) {
  if (!status_.is_running())
    return requests_.refuse(token, id, refusal::shutting_down, size_bytes, effects);
  if (contains(id))
    return requests_.refuse(token, id, refusal::already_exists, size_bytes, effects);
  if (size_bytes > objects_.capacity_bytes())
    return requests_.refuse(token, id, refusal::larger_than_store, size_bytes, effects);
  if (queue_.create(token, id, size_bytes, kind, effects))
    settle(effects);
}

void store_table::seal(const object_id& id, store_effects& effects) {
  auto& entry = objects_.get(id, store_place::unsealed);
  stalls_.creator_is_done(entry, effects);
  exits_.become_idle(entry, effects);
  settle(effects);
}

void store_table::abort(const object_id& id, store_effects& effects) {
  auto& entry = objects_.get(id, store_place::unsealed);
  requests_.refuse_readers(entry, refusal::not_here, effects);
  exits_.erase(entry, free_reason::aborted, effects);
  settle(effects);
}

void store_table::request_copy(request_token token, const object_id& id, store_effects& effects) {
  if (!status_.is_running())
    return requests_.refuse(token, id, refusal::shutting_down, 0, effects);
  auto* entry = objects_.find(id);
  if (entry == nullptr || entry->released)
    return requests_.refuse(token, id, entry == nullptr ? refusal::not_here : refusal::released, 0,
                            effects);
  if (entry->where == store_place::idle) {
    // Being asked for is a use.
    objects_.move(*entry, store_place::idle);
    requests_.tell(effects, id, serve_copy{token, id});
    return;
  }
  if (entry->where == store_place::pinned || entry->where == store_place::spilling) {
    requests_.tell(effects, id, serve_copy{token, id});
    return;
  }
  requests_.add(token, id);
  entry->readers.push_back(token);
  if (entry->where == store_place::spilled) {
    queue_.start_restore(*entry, effects);
    settle(effects);
  }
}

void store_table::cancel(request_token token, store_effects& effects) {
  const auto* waited_for = requests_.find(token);
  if (waited_for == nullptr)
    return;
  auto& entry = *objects_.find(*waited_for);
  requests_.remove(token);
  if (entry.where == store_place::waiting && entry.creator == token) {
    requests_.refuse_readers(entry, refusal::not_here, effects);
    objects_.erase(entry);
  } else {
    auto erased = std::erase(entry.readers, token);
    MOBULA_ASSERT(erased == 1);
    // A read that runs is let run: its copy may serve the next reader.
    if (entry.readers.empty() && entry.where == store_place::restore_waiting)
      objects_.move(entry, store_place::spilled);
  }
  settle(effects);
}

void store_table::release(const object_id& id, store_effects& effects) {
  auto* entry = objects_.find(id);
  if (entry == nullptr || entry->released)
    return;
  exits_.release(*entry, effects);
  settle(effects);
}

// -- the heap ---------------------------------------------------------------------

void store_table::memory_refused(const object_id& id, store_effects& effects) {
  auto* entry = objects_.find(id);
  MOBULA_ASSERT(entry != nullptr && !entry->released);
  queue_.take_back(*entry);
  settle(effects);
}

// -- credit -----------------------------------------------------------------------

void store_table::lend(std::size_t max_bytes, store_effects& effects) {
  auto bytes = std::min(max_bytes, lendable_bytes());
  objects_.lend(bytes);
  relief_.lent(bytes);
  store_requests::tell_first(effects, lend_credit{bytes});
  settle(effects);
}

void store_table::take_back(std::size_t bytes, store_effects& effects) {
  objects_.take_back(bytes);
  pieces_.memory_came_back();
  stalls_.end(effects);
  settle(effects);
}

void store_table::recall_answered(std::size_t bytes, store_effects& effects) {
  MOBULA_ASSERT(relief_.recalling());
  relief_.recall_answered();
  // Nobody took memory for it: the heap is as before.
  objects_.take_back(bytes);
  if (bytes > 0)
    stalls_.end(effects);
  settle(effects);
}

void store_table::add_sealed(const object_id& id, std::size_t size_bytes, copy_kind kind,
                             store_effects& effects) {
  objects_.take_back(size_bytes);
  // Nothing is lent while somebody waits: its creator was there before.
  stalls_.end(effects);
  auto& entry = objects_.insert(id, size_bytes, kind, store_place::unsealed);
  entry.released = !status_.is_running();
  exits_.become_idle(entry, effects);
  settle(effects);
}

// -- answers about pins -------------------------------------------------------------

void store_table::reclaim_succeeded(const object_id& id, store_effects& effects) {
  auto* entry = objects_.find(id);
  MOBULA_ASSERT(entry != nullptr);
  if (entry->released) {
    MOBULA_ASSERT(
      entry->where == store_place::releasing
      || (entry->where == store_place::asked && entry->asked == pin_question::give_space));
    exits_.erase(*entry, free_reason::released, effects);
  } else {
    MOBULA_ASSERT(entry->where == store_place::asked && entry->asked == pin_question::give_space);
    exits_.give_away_space(*entry, effects);
  }
  settle(effects);
}

void store_table::reclaim_refused(const object_id& id, reclaim_obstacle obstacle,
                                  use_stamp last_use, store_effects& effects) {
  auto* entry = objects_.find(id);
  MOBULA_ASSERT(entry != nullptr);
  auto hinted = std::exchange(entry->unpin_hint, false);
  entry->known_use = last_use;
  if (entry->where == store_place::releasing) {
    MOBULA_ASSERT(obstacle == reclaim_obstacle::pinned);
    if (hinted)
      relief_.ask_release(*entry, effects);
    else
      objects_.move(*entry, store_place::doomed);
    return settle(effects);
  }
  MOBULA_ASSERT(entry->where == store_place::asked);
  if (obstacle == reclaim_obstacle::used)
    relief_.spare(*entry);
  if (obstacle == reclaim_obstacle::pinned && !hinted && !entry->released) {
    objects_.move(*entry, store_place::pinned);
    requests_.serve_readers(*entry, effects);
  } else {
    exits_.become_idle(*entry, effects);
  }
  settle(effects);
}

void store_table::found_idle(const object_id& id, store_effects& effects) {
  auto& entry = objects_.get(id, store_place::asked);
  MOBULA_ASSERT(entry.asked == pin_question::is_idle);
  entry.unpin_hint = false;
  if (entry.released) {
    relief_.ask_release(entry, effects);
  } else {
    objects_.move(entry, store_place::spilling);
    requests_.tell(effects, id, spill_object{id, entry.size_bytes});
    requests_.serve_readers(entry, effects);
  }
  settle(effects);
}

void store_table::unpinned(const object_id& id, store_effects& effects) {
  auto* entry = objects_.find(id);
  if (entry == nullptr)
    return;
  switch (entry->where) {
    case store_place::asked:
    case store_place::releasing:
      // The question may have been answered before the last reader left.
      entry->unpin_hint = true;
      return;
    case store_place::pinned:
      exits_.become_idle(*entry, effects);
      break;
    case store_place::doomed:
      relief_.ask_release(*entry, effects);
      break;
    default:
      return;
  }
  settle(effects);
}

// -- answers from the spill manager ---------------------------------------------------

void store_table::spill_finished(const object_id& id, store_effects& effects) {
  auto& entry = objects_.get(id, store_place::spilling);
  counters_.spills.add(entry.size_bytes);
  disk_.wrote();
  stalls_.end(effects);
  if (entry.released) {
    relief_.ask_release(entry, effects);
  } else {
    entry.has_record = true;
    objects_.move(entry, store_place::idle);
    // It was the least recently used before the write, and costs nothing to drop now.
    objects_.evict_next(entry);
  }
  settle(effects);
}

void store_table::spill_failed(const object_id& id, spill_error error, spill_round round,
                               store_effects& effects) {
  auto& entry = objects_.get(id, store_place::spilling);
  MOBULA_ASSERT(error != spill_error::canceled || entry.released);
  if (error != spill_error::canceled)
    ++counters_.spill_failures;
  if (error == spill_error::beyond_limit) {
    entry.set_aside_in = round;
    disk_.found_beyond_limit(entry.size_bytes, round);
  } else if (error != spill_error::canceled) {
    disk_.failed(round);
  }
  exits_.become_idle(entry, effects);
  settle(effects);
}

void store_table::spilling_possible(spill_round round, store_effects& effects) {
  disk_.began(round);
  objects_.return_set_aside();
  settle(effects);
}

void store_table::restore_finished(const object_id& id, store_effects& effects) {
  auto& entry = objects_.get(id, store_place::restoring);
  counters_.restores.add(entry.size_bytes);
  stalls_.end(effects);
  exits_.become_idle(entry, effects);
  settle(effects);
}

void store_table::restore_failed(const object_id& id, restore_error error, store_effects& effects) {
  auto& entry = objects_.get(id, store_place::restoring);
  MOBULA_ASSERT(error != restore_error::canceled || entry.released);
  if (entry.released) {
    exits_.erase(entry, free_reason::released, effects);
  } else if (error == restore_error::record_lost) {
    requests_.refuse_readers(entry, refusal::copy_lost, effects);
    exits_.erase(entry, free_reason::restore_failed, effects);
  } else {
    requests_.refuse_readers(entry, refusal::restore_failed, effects);
    exits_.unload(entry, free_reason::restore_failed, effects);
  }
  settle(effects);
}

// -- the caller's own -----------------------------------------------------------------

void store_table::give_up(stall_number number, store_effects& effects) {
  if (stalls_.give_up(number))
    settle(effects);
}

void store_table::shut_down(store_effects& effects) {
  status_.begin_shutdown();
  while (auto* entry = objects_.places().queue().front())
    queue_.refuse(*entry, refusal::shutting_down, effects);
  std::vector<object_id> ids;
  ids.reserve(objects_.all().size());
  for (const auto& [id, entry] : objects_.all())
    ids.push_back(id);
  std::ranges::sort(ids); // A replay must see the same order.
  for (const auto& id : ids) {
    auto& entry = *objects_.find(id);
    requests_.refuse_readers(entry, refusal::shutting_down, effects);
    if (!entry.released)
      exits_.release(entry, effects);
  }
  relief_.recall(effects);
  settle(effects);
}

std::size_t store_table::lendable_bytes() const noexcept {
  return status_.is_running() ? relief_.lendable_bytes() : 0;
}

// -- every event ----------------------------------------------------------------------

/// Every event ends here: the table is settled when nothing more can be granted or set going.
void store_table::settle(store_effects& effects) {
  queue_.grant_waiting(effects);
  stalls_.refuse_overdue(effects);
  if (queue_.empty())
    pieces_.nobody_waits();
  relief_.relieve(effects);
  stalls_.watch(effects);
  status_.tell_changes(effects);
}

} // namespace mobula

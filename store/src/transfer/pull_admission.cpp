// Which pulls have a buffer in the store, and how they get and give back what they have.

#include <algorithm>
#include <utility>

#include "mobula/store/transfer/pull_table.hpp"

namespace mobula {

// -- answers from the store ---------------------------------------------------------

void pull_table::buffer_granted(const object_id& id, pull_effects& effects) {
  auto& entry = get(id);
  MOBULA_ASSERT(entry.where == phase::reserving);
  lists_.delist(entry);
  if (std::exchange(entry.withdrawn, false)) {
    effects.push_back(return_buffer{id});
    entry.buffer_bytes = 0;
    entry.where = phase::waiting;
  } else {
    entry.where = phase::active;
    entry.retries = 0;
    effects.push_back(report_pull_began{id});
  }
  update(id, effects);
  finish_event(effects);
}

void pull_table::buffer_refused(const object_id& id, pull_effects& effects) {
  auto& entry = get(id);
  MOBULA_ASSERT(entry.where == phase::reserving);
  lists_.delist(entry);
  auto missing = entry.buffer_bytes;
  auto must = entry.priority == reserve_priority::must;
  entry.where = phase::waiting;
  entry.buffer_bytes = 0;
  if (!std::exchange(entry.withdrawn, false)) {
    // The others may give back what this one needs. Those that only wait for space have none: they
    // would be refused in turns, for ever.
    if (must && lists_.buffers() == 0) {
      report_failure(id, error_type::store_full, effects);
      return finish_event(effects);
    }
    entry.held = true;
    if (must)
      reclaim(missing, entry.place(), effects);
  }
  update(id, effects);
  finish_event(effects);
}

void pull_table::buffer_unneeded(const object_id& id, pull_effects& effects) {
  auto& entry = get(id);
  MOBULA_ASSERT(entry.where == phase::reserving);
  end_requests(entry);
  entry.where = phase::waiting;
  entry.buffer_bytes = 0;
  forget(id, effects);
  finish_event(effects);
}

void pull_table::memory_tight(std::uint64_t bytes, pull_effects& effects) {
  if (lists_.admitted().empty())
    return;
  reclaim(bytes, lists_.admitted().begin()->first, effects);
  finish_event(effects);
}

/// Takes space from the last in the order, down to the given place, until so many bytes are on
/// their way back. Never from gets.
void pull_table::reclaim(std::uint64_t bytes, const pull_place& after, pull_effects& effects) {
  std::uint64_t reclaimed = 0;
  std::vector<object_id> chosen;
  for (auto next = lists_.admitted().rbegin();
       next != lists_.admitted().rend() && reclaimed < bytes; ++next) {
    const auto& [place, id] = *next;
    if (place <= after || place.priority == pull_priority::get)
      break;
    const auto& entry = get(id);
    reclaimed += entry.where == phase::reserving ? 0 : entry.buffer_bytes;
    if (entry.where == phase::active)
      chosen.push_back(id);
  }
  for (const auto& id : chosen) {
    auto& entry = get(id);
    lists_.delist(entry);
    entry.held = true; // It would take the space that it gives.
    restart(id, entry, effects);
    update(id, effects);
  }
}

// -- admission ----------------------------------------------------------------------

void pull_table::admit(pull_effects& effects) {
  while (true) {
    // At least one always runs, also when none of them gets what is free.
    auto alone = lists_.queue().empty() && lists_.admitted().empty() && !lists_.held().empty();
    if (lists_.queue().empty() && !alone)
      return;
    auto id = (alone ? lists_.held() : lists_.queue()).begin()->second;
    auto& entry = get(id);
    if (!alone && !may_admit(entry))
      return;
    lists_.delist(entry);
    entry.held = false;
    entry.where = phase::reserving;
    entry.buffer_bytes = *entry.size_bytes;
    auto urgent = lists_.running() == 0 || entry.place().priority == pull_priority::get;
    entry.priority = urgent ? reserve_priority::must : reserve_priority::if_free;
    effects.push_back(reserve_buffer{id, entry.buffer_bytes, entry.priority});
    update(id, effects);
  }
}

bool pull_table::may_admit(const pull_state& entry) const {
  if (lists_.running() == 0)
    return true;
  if (entry.place().priority == pull_priority::get)
    return lists_.running() < 2 * config_.max_admitted;
  return lists_.running() < config_.max_admitted
         && lists_.running_bytes() <= config_.max_admitted_bytes
         && *entry.size_bytes <= config_.max_admitted_bytes - lists_.running_bytes();
}

/// Asks for no buffer any more. The answer to what was asked comes all the same.
void pull_table::withdraw(const object_id& id, pull_state& entry, pull_effects& effects) {
  if (std::exchange(entry.withdrawn, true))
    return;
  effects.push_back(withdraw_buffer{id});
}

/// Makes the pull begin again, without the buffer that it has or asks for.
void pull_table::restart(const object_id& id, pull_state& entry, pull_effects& effects) {
  switch (entry.where) {
    case phase::waiting:
      return;
    case phase::reserving:
      return withdraw(id, entry, effects);
    case phase::active:
      drain(entry, effects);
      break;
    case phase::draining:
      break;
  }
  if (!std::exchange(entry.restart, true))
    ++counters_.restarts;
}

void pull_table::drain(pull_state& entry, pull_effects& effects) {
  entry.where = phase::draining;
  entry.sources.turn_to(std::nullopt);
  cancel_asks(entry, effects);
}

void pull_table::give_buffer_back(const object_id& id, pull_state& entry, pull_effects& effects) {
  MOBULA_ASSERT(entry.asks.empty());
  effects.push_back(report_pull_stopped{id});
  effects.push_back(return_buffer{id});
  entry.where = phase::waiting;
  entry.restart = false;
  entry.buffer_bytes = 0;
  entry.here = {};
  entry.asked = {};
  for (const auto& [place, other] : lists_.release_held())
    get(other).held = false;
}

} // namespace mobula

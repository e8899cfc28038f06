// Which pulls have a buffer in the store, and how they get and give back what they have.

#include "mobula/store/transfer/pull_admission.hpp"

#include <utility>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

std::optional<object_id> pull_admission::reserve_next(pull_effects& effects) {
  // At least one always runs, also when none of them gets what is free.
  auto alone = lists_.queue().empty() && lists_.admitted().empty() && !lists_.held().empty();
  if (lists_.queue().empty() && !alone)
    return std::nullopt;
  auto id = (alone ? lists_.held() : lists_.queue()).begin()->second;
  auto& entry = pulls_.get(id);
  if (!alone && !may_admit(entry))
    return std::nullopt;
  lists_.delist(entry);
  entry.held = false;
  entry.where = pull_phase::reserving;
  entry.buffer_bytes = *entry.size_bytes;
  auto urgent = lists_.running() == 0 || entry.place().priority == pull_priority::get;
  entry.priority = urgent ? reserve_priority::must : reserve_priority::if_free;
  effects.push_back(reserve_buffer{id, entry.buffer_bytes, entry.priority});
  return id;
}

bool pull_admission::may_admit(const pull_state& entry) const {
  if (lists_.running() == 0)
    return true;
  if (entry.place().priority == pull_priority::get)
    return lists_.running() < 2 * config_.max_admitted;
  return lists_.running() < config_.max_admitted
         && lists_.running_bytes() <= config_.max_admitted_bytes
         && *entry.size_bytes <= config_.max_admitted_bytes - lists_.running_bytes();
}

void pull_admission::withdraw(const object_id& id, pull_state& entry, pull_effects& effects) {
  if (std::exchange(entry.withdrawn, true))
    return;
  effects.push_back(withdraw_buffer{id});
}

void pull_admission::restart(const object_id& id, pull_state& entry, pull_effects& effects) {
  switch (entry.where) {
    case pull_phase::waiting:
      return;
    case pull_phase::reserving:
      return withdraw(id, entry, effects);
    case pull_phase::active:
      drain(entry, effects);
      break;
    case pull_phase::draining:
      break;
  }
  if (!std::exchange(entry.restart, true))
    ++counters_.restarts;
}

void pull_admission::drain(pull_state& entry, pull_effects& effects) {
  entry.where = pull_phase::draining;
  entry.sources.turn_to(std::nullopt);
  planner_.cancel(entry, effects);
}

void pull_admission::give_back(const object_id& id, pull_state& entry, pull_effects& effects) {
  MOBULA_ASSERT(entry.asks.empty());
  effects.push_back(report_pull_stopped{id});
  effects.push_back(return_buffer{id});
  entry.where = pull_phase::waiting;
  entry.restart = false;
  entry.buffer_bytes = 0;
  entry.here = {};
  entry.asked = {};
  for (const auto& [place, other] : lists_.release_held())
    pulls_.get(other).held = false;
}

std::vector<object_id> pull_admission::choose_to_reclaim(std::uint64_t bytes,
                                                         const pull_place& after) const {
  std::uint64_t reclaimed = 0;
  std::vector<object_id> chosen;
  for (auto next = lists_.admitted().rbegin();
       next != lists_.admitted().rend() && reclaimed < bytes; ++next) {
    const auto& [place, id] = *next;
    if (place <= after || place.priority == pull_priority::get)
      break;
    const auto& entry = pulls_.get(id);
    reclaimed += entry.where == pull_phase::reserving ? 0 : entry.buffer_bytes;
    if (entry.where == pull_phase::active)
      chosen.push_back(id);
  }
  return chosen;
}

} // namespace mobula

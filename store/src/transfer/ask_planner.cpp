// Which bytes pulls ask for, how many at a time, and how long they wait.

#include "mobula/store/transfer/ask_planner.hpp"

#include <algorithm>

namespace mobula {

// -- asking -------------------------------------------------------------------------

void ask_planner::ask_more(const object_id& id, pull_state& entry, pull_effects& effects) {
  if (entry.where != pull_phase::active)
    return;
  while (ask_once(id, entry, effects)) {
  }
}

/// Asks for the first missing bytes. Returns whether it did.
bool ask_planner::ask_once(const object_id& id, pull_state& entry, pull_effects& effects) {
  if (entry.asks.size() >= config_.chunks_per_pull)
    return false;
  auto range = entry.asked.first_gap(*entry.size_bytes);
  if (range.size() == 0)
    return false;
  entry.sources.turn_to(pick_source(id, entry));
  if (!entry.sources.current())
    return false;
  range.end = range.begin + std::min(range.size(), config_.chunk_bytes);
  auto place = entry.place();
  auto asked = asks_.asked_bytes();
  auto full =
    asked > 0
    && (asked > config_.max_asked_bytes || range.size() > config_.max_asked_bytes - asked);
  const auto& hungry = lists_.hungry();
  if (full || (!hungry.empty() && hungry.begin()->first < place)) {
    lists_.note_hungry(place, id);
    return false;
  }
  begin(id, entry, range, effects);
  return true;
}

void ask_planner::begin(const object_id& id, pull_state& entry, byte_range range,
                        pull_effects& effects) {
  auto node = *entry.sources.current();
  auto number = asks_.begin(id, node, range);
  entry.asks.insert(number);
  entry.asked.add(range);
  entry.progress = true;
  effects.push_back(
    ask_bytes{number, node, asks_.at(number).lane, {id, range.begin, range.size()}});
  timers_.start_sweep(effects);
}

std::optional<incarnation_id> ask_planner::pick_source(const object_id& id,
                                                       const pull_state& entry) const {
  return entry.sources.pick(id, config_.self, asks_);
}

void ask_planner::cancel(const pull_state& entry, pull_effects& effects) {
  for (auto number : entry.asks)
    if (asks_.cancel(number))
      effects.push_back(cancel_ask{number});
}

// -- time ---------------------------------------------------------------------------

std::optional<pull_timer_purpose> ask_planner::wanted_timer(const object_id& id,
                                                            const pull_state& entry) const {
  auto waiting = entry.where == pull_phase::waiting;
  if ((!waiting && entry.where != pull_phase::active) || !entry.asks.empty())
    return std::nullopt;
  if (!entry.has_copies())
    return entry.readiness == object_readiness::pending ? std::nullopt
                                                        : std::optional{pull_timer_purpose::locate};
  auto blocked = waiting ? entry.held : !pick_source(id, entry);
  return blocked ? std::optional{pull_timer_purpose::retry} : std::nullopt;
}

void ask_planner::recount(const object_id& id, pull_state& entry) {
  auto stuck = entry.where == pull_phase::active && entry.asks.empty() && !pick_source(id, entry);
  lists_.recount(entry, stuck ? pull_lists::prospects::none : pull_lists::prospects::some);
}

} // namespace mobula

// Which bytes pulls ask for, how many at a time, and how long they wait.

#include <algorithm>
#include <utility>
#include <vector>

#include "mobula/store/transfer/pull_table.hpp"

namespace mobula {

// -- asking -------------------------------------------------------------------------

void pull_table::ask_more(const object_id& id, pull_state& entry, pull_effects& effects) {
  if (entry.where != phase::active)
    return;
  while (ask_once(id, entry, effects)) {
  }
}

/// Asks for the first missing bytes. Returns whether it did.
bool pull_table::ask_once(const object_id& id, pull_state& entry, pull_effects& effects) {
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
  begin_ask(id, entry, range, effects);
  return true;
}

void pull_table::begin_ask(const object_id& id, pull_state& entry, byte_range range,
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

/// Lets those ask that were kept from it by the limit, in the order of pulls.
void pull_table::ask_hungry(pull_effects& effects) {
  while (!lists_.hungry().empty()) {
    auto [place, id] = lists_.take_hungry();
    ask_more(id, get(id), effects);
    if (lists_.hungry().contains(place))
      return;
  }
}

std::optional<incarnation_id> pull_table::pick_source(const object_id& id,
                                                      const pull_state& entry) const {
  return entry.sources.pick(id, config_.self, asks_);
}

// -- ends of asks -------------------------------------------------------------------

pull_asks::ask pull_table::take_ask(ask_number number) {
  auto ended = asks_.take(number);
  auto& entry = get(ended.id);
  entry.asks.erase(number);
  entry.asked.remove({ended.arrived_to, ended.range.end});
  return ended;
}

void pull_table::cancel_asks(const pull_state& entry, pull_effects& effects) {
  for (auto number : entry.asks)
    if (asks_.cancel(number))
      effects.push_back(cancel_ask{number});
}

// -- time ---------------------------------------------------------------------------

/// Returns what the pull waits for, if only time can help.
std::optional<pull_timer_purpose> pull_table::wanted_timer(const object_id& id,
                                                           const pull_state& entry) const {
  auto waiting = entry.where == phase::waiting;
  if ((!waiting && entry.where != phase::active) || !entry.asks.empty())
    return std::nullopt;
  if (!entry.has_copies())
    return entry.readiness == object_readiness::pending ? std::nullopt
                                                        : std::optional{pull_timer_purpose::locate};
  auto blocked = waiting ? entry.held : !pick_source(id, entry);
  return blocked ? std::optional{pull_timer_purpose::retry} : std::nullopt;
}

void pull_table::recount(const object_id& id, pull_state& entry) {
  auto stuck = entry.where == phase::active && entry.asks.empty() && !pick_source(id, entry);
  lists_.recount(entry, stuck ? pull_lists::prospects::none : pull_lists::prospects::some);
}

/// Gives up connections that have brought nothing since the last sweep, and what was asked in vain.
void pull_table::sweep(pull_effects& effects) {
  auto silent = asks_.take_silent_lanes();
  std::vector<object_id> given_up;
  for (const auto& [place, id] : lists_.admitted()) {
    auto& entry = get(id);
    auto is_in_vain = [&](ask_number number) {
      return asks_.is_hopeless(number, silent);
    };
    if (!std::exchange(entry.progress, false) && entry.where == phase::active && !entry.asks.empty()
        && std::ranges::all_of(entry.asks, is_in_vain))
      given_up.push_back(id);
  }
  if (!asks_.empty())
    timers_.start_sweep(effects);
  for (const auto& id : given_up) {
    auto& entry = get(id);
    cancel_asks(entry, effects);
    if (auto slow = entry.sources.current())
      entry.sources.distrust(*slow);
    update(id, effects);
  }
  effects.insert(effects.end(), silent.begin(), silent.end());
}

} // namespace mobula

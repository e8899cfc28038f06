// Which source a pull asks for which bytes, and how long it waits.

#include <algorithm>
#include <tuple>
#include <utility>

#include "mobula/store/transfer/pull_table.hpp"

namespace mobula {

namespace {

constexpr std::size_t max_doublings = 10;

/// Orders equally good copies, differently on each node and for each object. (The multipliers are
/// those of SplitMix64.)
std::uint64_t shuffled(const incarnation_id& self, const incarnation_id& node,
                       const object_id& id) noexcept {
  auto mixed = (self.high ^ self.low) + 3 * (node.high ^ node.low) + 5 * id.sequence;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
  return mixed ^ (mixed >> 31);
}

} // namespace

// -- asking -------------------------------------------------------------------------

bool pull_table::complete(const pulled& entry) {
  return entry.here.first_gap(*entry.size_bytes).size() == 0;
}

void pull_table::ask_more(const object_id& id, pulled& entry, pull_effects& effects) {
  if (entry.where != phase::active)
    return;
  while (ask_once(id, entry, effects)) {
  }
}

/// Asks for the first missing bytes. Returns whether it did.
bool pull_table::ask_once(const object_id& id, pulled& entry, pull_effects& effects) {
  if (entry.asks.size() >= config_.chunks_per_pull)
    return false;
  auto range = entry.asked.first_gap(*entry.size_bytes);
  if (range.size() == 0)
    return false;
  entry.current = pick_source(id, entry);
  if (!entry.current)
    return false;
  range.end = range.begin + std::min(range.size(), config_.chunk_bytes);
  auto place = order_of(entry);
  auto full = asked_bytes_ > 0
              && (asked_bytes_ > config_.max_asked_bytes
                  || range.size() > config_.max_asked_bytes - asked_bytes_);
  if (full || (!hungry_.empty() && hungry_.begin()->first < place)) {
    hungry_.emplace(place, id);
    return false;
  }
  begin_ask(id, entry, range, effects);
  return true;
}

/// Takes the lane with the fewest asks.
void pull_table::begin_ask(const object_id& id, pulled& entry, byte_range range,
                           pull_effects& effects) {
  auto number = ask_number{++asks_numbered_};
  auto node = *entry.current;
  auto& known = peers_[node];
  known.lanes.resize(config_.lanes_per_node);
  auto least = std::ranges::min_element(known.lanes, {}, &lane_use::asks);
  auto lane = data_lane{static_cast<std::uint32_t>(least - known.lanes.begin())};
  if (least->asks == 0)
    least->progress = true;
  ++least->asks;
  ++known.asks;
  least->asked_bytes += range.size();
  // A node sends in turn what was asked over a connection. What it sends is as large as a chunk may
  // be, whatever was asked.
  auto turn_bytes = least->arrived_bytes + least->asked_bytes + frame_limits::chunk_bytes;
  asks_.emplace(number, ask{id, node, lane, range, range.begin, turn_bytes});
  entry.asks.insert(number);
  entry.asked.add(range);
  entry.progress = true;
  asked_bytes_ += range.size();
  effects.push_back(ask_bytes{number, node, lane, {id, range.begin, range.size()}});
  start_sweep(effects);
}

/// Lets those ask that were kept from it by the limit, in the order of pulls.
void pull_table::ask_hungry(pull_effects& effects) {
  while (!hungry_.empty()) {
    auto [place, id] = *hungry_.begin();
    hungry_.erase(hungry_.begin());
    ask_more(id, get(id), effects);
    if (hungry_.contains(place))
      return;
  }
}

/// Returns the present source while it is one, else the best of those that are not backed off.
std::optional<incarnation_id> pull_table::pick_source(const object_id& id,
                                                      const pulled& entry) const {
  const source* best = nullptr;
  auto rank = [&](const source& known) {
    return std::tuple{known.copy.distance, asks_to(known.copy.node),
                      shuffled(config_.self, known.copy.node, id)};
  };
  for (const auto& known : entry.sources) {
    if (known.state == trust::backed_off)
      continue;
    if (entry.current == known.copy.node)
      return entry.current;
    if (best == nullptr || rank(known) < rank(*best))
      best = &known;
  }
  return best == nullptr ? std::nullopt : std::optional{best->copy.node};
}

std::size_t pull_table::asks_to(const incarnation_id& node) const {
  auto position = peers_.find(node);
  return position == peers_.end() ? 0 : position->second.asks;
}

pull_table::lane_use& pull_table::lane_of(const ask& under_way) {
  return peers_.at(under_way.node).lanes.at(static_cast<std::size_t>(under_way.lane));
}

// -- ends of asks -------------------------------------------------------------------

pull_table::ask pull_table::take_ask(ask_number number) {
  auto position = asks_.find(number);
  MOBULA_ASSERT(position != asks_.end());
  auto ended = position->second;
  asks_.erase(position);
  auto& entry = get(ended.id);
  entry.asks.erase(number);
  entry.asked.remove({ended.arrived_to, ended.range.end});
  auto missing = ended.range.end - ended.arrived_to;
  asked_bytes_ -= missing;
  auto& lane = lane_of(ended);
  lane.asked_bytes -= missing;
  --lane.asks;
  auto known = peers_.find(ended.node);
  if (--known->second.asks == 0)
    peers_.erase(known);
  return ended;
}

/// Leaves the node alone until the retry timer.
void pull_table::distrust(pulled& entry, const incarnation_id& node) {
  for (auto& known : entry.sources)
    if (known.copy.node == node)
      known.state = trust::backed_off;
  if (entry.current == node)
    entry.current.reset();
}

/// The node has no copy, until other news.
void pull_table::drop_source(pulled& entry, const incarnation_id& node) {
  distrust(entry, node);
  std::erase_if(entry.sources, [&](const auto& known) { return known.copy.node == node; });
}

void pull_table::cancel_asks(const pulled& entry, pull_effects& effects) {
  for (auto number : entry.asks)
    if (!std::exchange(asks_.at(number).canceled, true))
      effects.push_back(cancel_ask{number});
}

// -- time ---------------------------------------------------------------------------

/// Returns what the pull waits for, if only time can help.
std::optional<pull_timer_purpose> pull_table::wanted_timer(const object_id& id,
                                                           const pulled& entry) const {
  auto waiting = entry.where == phase::waiting;
  if ((!waiting && entry.where != phase::active) || !entry.asks.empty())
    return std::nullopt;
  if (!has_copies(entry))
    return entry.readiness == object_readiness::pending ? std::nullopt
                                                        : std::optional{pull_timer_purpose::locate};
  auto blocked = waiting ? entry.held : !pick_source(id, entry);
  return blocked ? std::optional{pull_timer_purpose::retry} : std::nullopt;
}

void pull_table::set_timer(const object_id& id, pulled& entry, pull_effects& effects) {
  auto purpose = wanted_timer(id, entry);
  if (purpose && entry.waits_for && entry.waits_for->purpose == *purpose)
    return;
  stop_timer(id, entry, effects);
  if (!purpose)
    return;
  entry.waits_for = timer{*purpose, ++timers_numbered_};
  auto delay = config_.locate_ms;
  if (*purpose == pull_timer_purpose::retry)
    delay = config_.retry_ms << std::min(entry.retries++, max_doublings);
  effects.push_back(start_pull_timer{{*purpose, id, timers_numbered_}, delay});
}

void pull_table::stop_timer(const object_id& id, pulled& entry, pull_effects& effects) {
  if (auto over = std::exchange(entry.waits_for, std::nullopt))
    effects.push_back(stop_pull_timer{{over->purpose, id, over->generation}});
}

/// One timer watches all asks: there may be ten thousand objects in the time of one.
void pull_table::start_sweep(pull_effects& effects) {
  if (std::exchange(sweeping_, true))
    return;
  sweep_generation_ = ++timers_numbered_;
  effects.push_back(
    start_pull_timer{{pull_timer_purpose::sweep, {}, sweep_generation_}, config_.stall_ms});
}

void pull_table::stop_sweep(pull_effects& effects) {
  if (std::exchange(sweeping_, false))
    effects.push_back(stop_pull_timer{{pull_timer_purpose::sweep, {}, sweep_generation_}});
}

/// Returns the connections that were asked over and have brought nothing since the last sweep.
std::vector<close_lane> pull_table::silent_lanes() {
  std::vector<close_lane> result;
  for (auto& [node, known] : peers_)
    for (std::size_t index = 0; index < known.lanes.size(); ++index) {
      auto& lane = known.lanes[index];
      if (!std::exchange(lane.progress, false) && lane.asks > 0)
        result.push_back({node, data_lane{static_cast<std::uint32_t>(index)}});
    }
  // A replay must see the same order.
  std::ranges::sort(result, {}, [](const auto& lane) { return std::tuple{lane.node, lane.lane}; });
  return result;
}

bool pull_table::is_hopeless(const ask& under_way, const std::vector<close_lane>& silent) {
  auto is_over_it = [&](const close_lane& lane) {
    return lane.node == under_way.node && lane.lane == under_way.lane;
  };
  return lane_of(under_way).arrived_bytes > under_way.turn_bytes
         || std::ranges::any_of(silent, is_over_it);
}

/// Gives up connections that have brought nothing since the last sweep, and what was asked in vain.
void pull_table::sweep(pull_effects& effects) {
  auto silent = silent_lanes();
  std::vector<object_id> given_up;
  for (const auto& [place, id] : admitted_) {
    auto& entry = get(id);
    auto is_in_vain = [&](ask_number number) {
      return is_hopeless(asks_.at(number), silent);
    };
    if (!std::exchange(entry.progress, false) && entry.where == phase::active && !entry.asks.empty()
        && std::ranges::all_of(entry.asks, is_in_vain))
      given_up.push_back(id);
  }
  sweeping_ = false;
  if (!asks_.empty())
    start_sweep(effects);
  for (const auto& id : given_up) {
    auto& entry = get(id);
    cancel_asks(entry, effects);
    if (auto slow = entry.current)
      distrust(entry, *slow);
    update(id, effects);
  }
  effects.insert(effects.end(), silent.begin(), silent.end());
}

} // namespace mobula

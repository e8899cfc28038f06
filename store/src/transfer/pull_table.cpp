// The life of a pull: who wants the object, what is heard of it, and how asks for its bytes end.
// Which pull gets space is decided in pull_admission.cpp, which source to ask and how long to wait
// in pull_sources.cpp.

#include "mobula/store/transfer/pull_table.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace mobula {

pull_table::pull_table(const pull_config& config) : config_(config) {
  MOBULA_ASSERT(config.chunk_bytes > 0 && config.chunk_bytes <= frame_limits::chunk_bytes);
  MOBULA_ASSERT(config.chunks_per_pull > 0 && config.lanes_per_node > 0 && config.max_sources > 0);
  MOBULA_ASSERT(config.max_admitted > 0);
}

// -- requests -----------------------------------------------------------------------

void pull_table::pull(pull_token token, const object_id& id, pull_priority priority,
                      pull_effects& effects) {
  MOBULA_ASSERT(!id.empty());
  auto fresh_token = requests_.emplace(token, request{id, priority}).second;
  MOBULA_ASSERT(fresh_token);
  auto [position, fresh] = pulls_.try_emplace(id);
  auto& entry = position->second;
  if (fresh)
    entry.number = ++pulls_numbered_;
  else
    delist(entry);
  ++entry.requests.at(static_cast<std::size_t>(priority));
  entry.tokens.push_back(token);
  if (entry.where == phase::draining && !entry.restart)
    entry.where = phase::active;
  update(id, effects);
  finish_event(effects);
}

void pull_table::cancel(pull_token token, pull_effects& effects) {
  auto position = requests_.find(token);
  if (position == requests_.end())
    return;
  auto canceled = position->second;
  requests_.erase(position);
  auto& entry = get(canceled.id);
  delist(entry);
  --entry.requests.at(static_cast<std::size_t>(canceled.priority));
  std::erase(entry.tokens, token);
  update(canceled.id, effects);
  finish_event(effects);
}

void pull_table::fail(const object_id& id, error_type error, pull_effects& effects) {
  auto position = pulls_.find(id);
  if (position == pulls_.end() || !wanted(position->second))
    return;
  report_failure(id, error, effects);
  finish_event(effects);
}

// -- news ---------------------------------------------------------------------------

void pull_table::located(const object_id& id, const location_news& news, pull_effects& effects) {
  auto position = pulls_.find(id);
  if (position == pulls_.end() || news.owner != id.owner || news.sequence <= position->second.news)
    return;
  auto& entry = position->second;
  delist(entry);
  entry.news = news.sequence;
  entry.readiness = news.readiness;
  adopt_sources(entry, news);
  auto another = entry.size_bytes && *entry.size_bytes != news.size_bytes;
  entry.size_bytes = news.size_bytes;
  // What is here may not fit what will be made.
  if (another || news.readiness == object_readiness::pending)
    restart(id, entry, effects);
  update(id, effects);
  finish_event(effects);
}

void pull_table::adopt_sources(pulled& entry, const location_news& news) const {
  auto before = std::exchange(entry.sources, {});
  if (news.readiness == object_readiness::pending)
    return;
  auto adopt = [&](copy_distance distance) {
    for (const auto& copy : news.copies) {
      auto same = [&](const source& other) {
        return other.copy.node == copy.node;
      };
      if (copy.distance != distance || copy.node == config_.self
          || entry.sources.size() >= config_.max_sources
          || std::ranges::any_of(entry.sources, same))
        continue;
      auto known = std::ranges::find_if(before, same);
      entry.sources.push_back({copy, known == before.end() ? trust::usable : known->state});
    }
  };
  adopt(copy_distance::same_host);
  adopt(copy_distance::other_host);
}

void pull_table::node_lost(const incarnation_id& node, pull_effects& effects) {
  std::vector<object_id> touched;
  for (const auto& [id, entry] : pulls_)
    if (std::ranges::any_of(entry.sources, [&](const auto& s) { return s.copy.node == node; }))
      touched.push_back(id);
  std::ranges::sort(touched); // A replay must see the same order.
  for (const auto& id : touched) {
    drop_source(get(id), node);
    update(id, effects);
  }
  finish_event(effects);
}

// -- answers from the network -------------------------------------------------------

void pull_table::bytes_arrived(ask_number number, std::uint64_t bytes, pull_effects&) {
  auto position = asks_.find(number);
  MOBULA_ASSERT(position != asks_.end());
  auto& under_way = position->second;
  MOBULA_ASSERT(bytes <= under_way.range.end - under_way.arrived_to);
  auto& entry = get(under_way.id);
  entry.here.add({under_way.arrived_to, under_way.arrived_to + bytes});
  under_way.arrived_to += bytes;
  asked_bytes_ -= bytes;
  auto& lane = lane_of(under_way);
  lane.asked_bytes -= bytes;
  lane.arrived_bytes += bytes;
  lane.progress = true;
  entry.retries = 0;
  entry.progress = true;
  counters_.arrived_bytes += bytes;
}

void pull_table::lane_progressed(const incarnation_id& node, data_lane lane) {
  auto known = peers_.find(node);
  auto index = static_cast<std::size_t>(lane);
  if (known != peers_.end() && index < known->second.lanes.size())
    known->second.lanes[index].progress = true;
}

void pull_table::ask_finished(ask_number number, pull_effects& effects) {
  auto ended = take_ask(number);
  MOBULA_ASSERT(ended.arrived_to == ended.range.end);
  update(ended.id, effects);
  finish_event(effects);
}

void pull_table::ask_refused(ask_number number, refusal_reason reason, pull_effects& effects) {
  auto ended = take_ask(number);
  lane_progressed(ended.node, ended.lane);
  ++counters_.refused_asks;
  if (!ended.canceled) {
    if (reason == refusal_reason::busy)
      distrust(get(ended.id), ended.node);
    else
      drop_source(get(ended.id), ended.node);
  }
  update(ended.id, effects);
  finish_event(effects);
}

void pull_table::ask_lost(ask_number number, pull_effects& effects) {
  auto ended = take_ask(number);
  if (!ended.canceled) {
    ++counters_.lost_asks;
    distrust(get(ended.id), ended.node);
  }
  update(ended.id, effects);
  finish_event(effects);
}

// -- time ---------------------------------------------------------------------------

void pull_table::timer_fired(const pull_timer& fired, pull_effects& effects) {
  if (fired.purpose == pull_timer_purpose::sweep) {
    if (sweeping_ && fired.generation == sweep_generation_)
      sweep(effects);
    return finish_event(effects);
  }
  auto position = pulls_.find(fired.id);
  if (position == pulls_.end())
    return;
  auto& entry = position->second;
  if (!entry.waits_for || entry.waits_for->generation != fired.generation)
    return;
  entry.waits_for.reset();
  if (fired.purpose == pull_timer_purpose::locate) {
    report_failure(fired.id, error_type::object_fetch_timed_out, effects);
  } else {
    delist(entry);
    entry.held = false;
    for (auto& known : entry.sources)
      known.state = trust::usable;
    update(fired.id, effects);
  }
  finish_event(effects);
}

// -- pulls --------------------------------------------------------------------------

bool pull_table::wanted(const pulled& entry) noexcept {
  return !entry.tokens.empty();
}

bool pull_table::has_buffer(const pulled& entry) noexcept {
  return entry.where == phase::active || entry.where == phase::draining;
}

pull_table::order pull_table::order_of(const pulled& entry) noexcept {
  auto priority = pull_priority::argument;
  for (auto candidate : {pull_priority::wait, pull_priority::get})
    if (entry.requests[static_cast<std::size_t>(candidate)] > 0)
      priority = candidate;
  return {priority, entry.number};
}

pull_table::pulled& pull_table::get(const object_id& id) {
  auto position = pulls_.find(id);
  MOBULA_ASSERT(position != pulls_.end());
  return position->second;
}

/// Forgets who wants the object; a report has answered them.
void pull_table::end_requests(pulled& entry) {
  delist(entry);
  entry.requests = {};
  for (auto token : std::exchange(entry.tokens, {}))
    requests_.erase(token);
}

void pull_table::report_failure(const object_id& id, error_type error, pull_effects& effects) {
  end_requests(get(id));
  ++counters_.failed_objects;
  effects.push_back(report_pull_failed{id, error});
  update(id, effects);
}

void pull_table::forget(const object_id& id, pull_effects& effects) {
  auto position = pulls_.find(id);
  MOBULA_ASSERT(position != pulls_.end() && position->second.asks.empty()
                && !wanted(position->second) && position->second.buffer_bytes == 0);
  delist(position->second);
  recount(id, position->second);
  stop_timer(id, position->second, effects);
  pulls_.erase(position);
}

/// Puts a pull where it belongs after a change, and does what it can do next. Every change of a
/// pull ends here; one that changes its place in the order has delisted it before.
void pull_table::update(const object_id& id, pull_effects& effects) {
  auto& entry = get(id);
  delist(entry);
  if (entry.where == phase::active && wanted(entry) && complete(entry) && entry.asks.empty()) {
    ++counters_.arrived_objects;
    end_requests(entry);
    entry.buffer_bytes = 0;
    entry.where = phase::waiting;
    effects.push_back(report_arrived{id});
    return forget(id, effects);
  }
  if (!wanted(entry)) {
    if (entry.where == phase::active)
      drain(entry, effects);
    else if (entry.where == phase::reserving)
      withdraw(id, entry, effects);
  }
  if (entry.where == phase::draining && entry.asks.empty())
    give_buffer_back(id, entry, effects);
  if (entry.where == phase::waiting && !wanted(entry))
    return forget(id, effects);
  enlist(id, entry);
  ask_more(id, entry, effects);
  recount(id, entry);
  set_timer(id, entry, effects);
}

/// Uses what the event has set free. Every event ends here.
void pull_table::finish_event(pull_effects& effects) {
  ask_hungry(effects);
  admit(effects);
  if (asks_.empty())
    stop_sweep(effects);
}

// -- properties ---------------------------------------------------------------------

const byte_ranges* pull_table::received(const object_id& id) const {
  auto position = pulls_.find(id);
  if (position == pulls_.end())
    return nullptr;
  const auto& entry = position->second;
  return has_buffer(entry) && !entry.restart ? &entry.here : nullptr;
}

pull_stats pull_table::stats() const {
  auto result = counters_;
  result.objects = pulls_.size();
  result.requests = requests_.size();
  result.admitted = admitted_.size();
  result.admitted_bytes = 0;
  for (const auto& [place, id] : admitted_)
    result.admitted_bytes += pulls_.at(id).buffer_bytes;
  result.asks = asks_.size();
  result.asked_bytes = asked_bytes_;
  return result;
}

void pull_table::check_pull(const object_id& id, const pulled& entry) const {
  auto place = order_of(entry);
  auto waiting = entry.where == phase::waiting;
  MOBULA_ASSERT(queue_.contains(place) == (waiting && has_copies(entry) && !entry.held));
  MOBULA_ASSERT(held_.contains(place) == (waiting && has_copies(entry) && entry.held));
  MOBULA_ASSERT(admitted_.contains(place) == !waiting);
  MOBULA_ASSERT(!hungry_.contains(place) || entry.where == phase::active);
  MOBULA_ASSERT(!waiting || (wanted(entry) && entry.buffer_bytes == 0));
  MOBULA_ASSERT(entry.asks.size() <= config_.chunks_per_pull);
  MOBULA_ASSERT(entry.asks.empty() || has_buffer(entry));
  MOBULA_ASSERT(entry.where != phase::draining || !entry.asks.empty());
  MOBULA_ASSERT(!entry.running || !waiting);
  auto expected = entry.here;
  for (auto number : entry.asks) {
    const auto& under_way = asks_.at(number);
    MOBULA_ASSERT(under_way.id == id);
    expected.add(under_way.range);
  }
  MOBULA_ASSERT(expected == entry.asked);
}

void pull_table::check_invariants() const {
  std::size_t asks = 0;
  std::size_t running = 0;
  std::size_t requests = 0;
  std::uint64_t running_bytes = 0;
  std::uint64_t asked_bytes = 0;
  std::size_t buffers = 0;
  for (const auto& [id, entry] : pulls_) {
    check_pull(id, entry);
    MOBULA_ASSERT(entry.tokens.size()
                  == std::accumulate(entry.requests.begin(), entry.requests.end(), std::size_t{0}));
    asks += entry.asks.size();
    running += entry.running ? 1 : 0;
    running_bytes += entry.running ? entry.running_bytes : 0;
    requests += entry.tokens.size();
    buffers += has_buffer(entry) ? 1 : 0;
  }
  std::size_t peer_asks = 0;
  std::uint64_t lane_bytes = 0;
  for (const auto& [node, known] : peers_) {
    peer_asks += known.asks;
    std::size_t lane_asks = 0;
    for (const auto& lane : known.lanes) {
      lane_asks += lane.asks;
      lane_bytes += lane.asked_bytes;
    }
    MOBULA_ASSERT(known.asks == lane_asks && known.asks > 0);
  }
  for (const auto& [number, under_way] : asks_)
    asked_bytes += under_way.range.end - under_way.arrived_to;
  MOBULA_ASSERT(asks == asks_.size() && asks == peer_asks && asked_bytes == asked_bytes_
                && lane_bytes == asked_bytes_);
  MOBULA_ASSERT(running == running_ && running_bytes == running_bytes_ && buffers == buffers_);
  MOBULA_ASSERT(requests == requests_.size());
  MOBULA_ASSERT(asks_.empty() == !sweeping_);
}

} // namespace mobula

// The life of a pull: who wants the object, what is heard of it, and how asks for its bytes end.
// Which pull gets space is decided in pull_admission.cpp, which source to ask and how long to wait
// in pull_asking.cpp.

#include "mobula/store/transfer/pull_table.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace mobula {

pull_table::pull_table(const pull_config& config)
  : config_(config), asks_(config.lanes_per_node),
    timers_(pull_timers::spans{
      .locate_ms = config.locate_ms, .retry_ms = config.retry_ms, .stall_ms = config.stall_ms}) {
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
    lists_.delist(entry);
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
  lists_.delist(entry);
  --entry.requests.at(static_cast<std::size_t>(canceled.priority));
  std::erase(entry.tokens, token);
  update(canceled.id, effects);
  finish_event(effects);
}

void pull_table::fail(const object_id& id, error_type error, pull_effects& effects) {
  auto position = pulls_.find(id);
  if (position == pulls_.end() || !position->second.wanted())
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
  lists_.delist(entry);
  entry.news = news.sequence;
  entry.readiness = news.readiness;
  entry.sources.adopt(news, config_.self, config_.max_sources);
  auto another = entry.size_bytes && *entry.size_bytes != news.size_bytes;
  entry.size_bytes = news.size_bytes;
  // What is here may not fit what will be made.
  if (another || news.readiness == object_readiness::pending)
    restart(id, entry, effects);
  update(id, effects);
  finish_event(effects);
}

void pull_table::node_lost(const incarnation_id& node, pull_effects& effects) {
  std::vector<object_id> touched;
  for (const auto& [id, entry] : pulls_)
    if (entry.sources.contains(node))
      touched.push_back(id);
  std::ranges::sort(touched); // A replay must see the same order.
  for (const auto& id : touched) {
    get(id).sources.drop(node);
    update(id, effects);
  }
  finish_event(effects);
}

// -- answers from the network -------------------------------------------------------

void pull_table::bytes_arrived(ask_number number, std::uint64_t bytes, pull_effects&) {
  auto range = asks_.arrived(number, bytes);
  auto& entry = get(asks_.at(number).id);
  entry.here.add(range);
  entry.retries = 0;
  entry.progress = true;
  counters_.arrived_bytes += bytes;
}

void pull_table::lane_progressed(const incarnation_id& node, data_lane lane) {
  asks_.lane_progressed(node, lane);
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
      get(ended.id).sources.distrust(ended.node);
    else
      get(ended.id).sources.drop(ended.node);
  }
  update(ended.id, effects);
  finish_event(effects);
}

void pull_table::ask_lost(ask_number number, pull_effects& effects) {
  auto ended = take_ask(number);
  if (!ended.canceled) {
    ++counters_.lost_asks;
    get(ended.id).sources.distrust(ended.node);
  }
  update(ended.id, effects);
  finish_event(effects);
}

// -- time ---------------------------------------------------------------------------

void pull_table::timer_fired(const pull_timer& fired, pull_effects& effects) {
  if (fired.purpose == pull_timer_purpose::sweep) {
    if (timers_.end_sweep(fired.generation))
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
    lists_.delist(entry);
    entry.held = false;
    entry.sources.trust_all();
    update(fired.id, effects);
  }
  finish_event(effects);
}

// -- pulls --------------------------------------------------------------------------

pull_state& pull_table::get(const object_id& id) {
  auto position = pulls_.find(id);
  MOBULA_ASSERT(position != pulls_.end());
  return position->second;
}

/// Forgets who wants the object; a report has answered them.
void pull_table::end_requests(pull_state& entry) {
  lists_.delist(entry);
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
                && !position->second.wanted() && position->second.buffer_bytes == 0);
  lists_.delist(position->second);
  recount(id, position->second);
  timers_.stop(id, position->second, effects);
  pulls_.erase(position);
}

/// Puts a pull where it belongs after a change, and does what it can do next. Every change of a
/// pull ends here; one that changes its place in the order has delisted it before.
void pull_table::update(const object_id& id, pull_effects& effects) {
  auto& entry = get(id);
  lists_.delist(entry);
  if (entry.where == phase::active && entry.wanted() && entry.complete() && entry.asks.empty()) {
    ++counters_.arrived_objects;
    end_requests(entry);
    entry.buffer_bytes = 0;
    entry.where = phase::waiting;
    effects.push_back(report_arrived{id});
    return forget(id, effects);
  }
  if (!entry.wanted()) {
    if (entry.where == phase::active)
      drain(entry, effects);
    else if (entry.where == phase::reserving)
      withdraw(id, entry, effects);
  }
  if (entry.where == phase::draining && entry.asks.empty())
    give_buffer_back(id, entry, effects);
  if (entry.where == phase::waiting && !entry.wanted())
    return forget(id, effects);
  lists_.enlist(id, entry);
  ask_more(id, entry, effects);
  recount(id, entry);
  timers_.set(id, entry, wanted_timer(id, entry), effects);
}

/// Uses what the event has set free. Every event ends here.
void pull_table::finish_event(pull_effects& effects) {
  ask_hungry(effects);
  admit(effects);
  if (asks_.empty())
    timers_.stop_sweep(effects);
}

// -- properties ---------------------------------------------------------------------

const byte_ranges* pull_table::received(const object_id& id) const {
  auto position = pulls_.find(id);
  if (position == pulls_.end())
    return nullptr;
  const auto& entry = position->second;
  return entry.has_buffer() && !entry.restart ? &entry.here : nullptr;
}

pull_stats pull_table::stats() const {
  auto result = counters_;
  result.objects = pulls_.size();
  result.requests = requests_.size();
  result.admitted = lists_.admitted().size();
  result.admitted_bytes = 0;
  for (const auto& [place, id] : lists_.admitted())
    result.admitted_bytes += pulls_.at(id).buffer_bytes;
  result.asks = asks_.size();
  result.asked_bytes = asks_.asked_bytes();
  return result;
}

void pull_table::check_pull(const object_id& id, const pull_state& entry) const {
  lists_.check(entry);
  auto waiting = entry.where == phase::waiting;
  MOBULA_ASSERT(!waiting || (entry.wanted() && entry.buffer_bytes == 0));
  MOBULA_ASSERT(entry.asks.size() <= config_.chunks_per_pull);
  MOBULA_ASSERT(entry.asks.empty() || entry.has_buffer());
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
  std::size_t buffers = 0;
  for (const auto& [id, entry] : pulls_) {
    check_pull(id, entry);
    MOBULA_ASSERT(entry.tokens.size()
                  == std::accumulate(entry.requests.begin(), entry.requests.end(), std::size_t{0}));
    asks += entry.asks.size();
    running += entry.running ? 1 : 0;
    running_bytes += entry.running ? entry.running_bytes : 0;
    requests += entry.tokens.size();
    buffers += entry.has_buffer() ? 1 : 0;
  }
  asks_.check_invariants();
  MOBULA_ASSERT(asks == asks_.size());
  MOBULA_ASSERT(running == lists_.running() && running_bytes == lists_.running_bytes()
                && buffers == lists_.buffers());
  MOBULA_ASSERT(requests == requests_.size());
  MOBULA_ASSERT(asks_.empty() == !timers_.sweeping());
}

} // namespace mobula

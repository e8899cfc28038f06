// The life of a pull: who wants the object, what is heard of it, and how asks for its bytes end.
// Which pull gets space is decided in pull_admission.cpp, which bytes to ask for and how long to
// wait in ask_planner.cpp.

#include "mobula/store/transfer/pull_table.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace mobula {

pull_table::pull_table(const pull_config& config)
  : config_(config), asks_(config.lanes_per_node),
    timers_(pull_timers::spans{
      .locate_ms = config.locate_ms, .retry_ms = config.retry_ms, .stall_ms = config.stall_ms}),
    planner_(config_, asks_, lists_, timers_),
    admission_(config_, pulls_, lists_, planner_, counters_) {
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
  auto [entry, fresh] = pulls_.insert(id);
  if (!fresh)
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
  auto& entry = pulls_.get(canceled.id);
  lists_.delist(entry);
  --entry.requests.at(static_cast<std::size_t>(canceled.priority));
  std::erase(entry.tokens, token);
  update(canceled.id, effects);
  finish_event(effects);
}

void pull_table::fail(const object_id& id, error_type error, pull_effects& effects) {
  const auto* known = pulls_.find(id);
  if (known == nullptr || !known->wanted())
    return;
  report_failure(id, error, effects);
  finish_event(effects);
}

// -- news ---------------------------------------------------------------------------

void pull_table::located(const object_id& id, const location_news& news, pull_effects& effects) {
  auto* known = pulls_.find(id);
  if (known == nullptr || news.owner != id.owner || news.sequence <= known->news)
    return;
  auto& entry = *known;
  lists_.delist(entry);
  entry.news = news.sequence;
  entry.readiness = news.readiness;
  entry.sources.adopt(news, config_.self, config_.max_sources);
  auto another = entry.size_bytes && *entry.size_bytes != news.size_bytes;
  entry.size_bytes = news.size_bytes;
  // What is here may not fit what will be made.
  if (another || news.readiness == object_readiness::pending)
    admission_.restart(id, entry, effects);
  update(id, effects);
  finish_event(effects);
}

void pull_table::node_lost(const incarnation_id& node, pull_effects& effects) {
  for (const auto& id : pulls_.with_source(node)) {
    pulls_.get(id).sources.drop(node);
    update(id, effects);
  }
  finish_event(effects);
}

// -- answers from the store ---------------------------------------------------------

void pull_table::buffer_granted(const object_id& id, pull_effects& effects) {
  auto& entry = pulls_.get(id);
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
  auto& entry = pulls_.get(id);
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
  auto& entry = pulls_.get(id);
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
  for (const auto& id : admission_.choose_to_reclaim(bytes, after)) {
    auto& entry = pulls_.get(id);
    lists_.delist(entry);
    entry.held = true; // It would take the space that it gives.
    admission_.restart(id, entry, effects);
    update(id, effects);
  }
}

// -- answers from the network -------------------------------------------------------

void pull_table::bytes_arrived(ask_number number, std::uint64_t bytes, pull_effects&) {
  auto range = asks_.arrived(number, bytes);
  auto& entry = pulls_.get(asks_.at(number).id);
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
      pulls_.get(ended.id).sources.distrust(ended.node);
    else
      pulls_.get(ended.id).sources.drop(ended.node);
  }
  update(ended.id, effects);
  finish_event(effects);
}

void pull_table::ask_lost(ask_number number, pull_effects& effects) {
  auto ended = take_ask(number);
  if (!ended.canceled) {
    ++counters_.lost_asks;
    pulls_.get(ended.id).sources.distrust(ended.node);
  }
  update(ended.id, effects);
  finish_event(effects);
}

pull_asks::ask pull_table::take_ask(ask_number number) {
  auto ended = asks_.take(number);
  auto& entry = pulls_.get(ended.id);
  entry.asks.erase(number);
  entry.asked.remove({ended.arrived_to, ended.range.end});
  return ended;
}

// -- time ---------------------------------------------------------------------------

void pull_table::timer_fired(const pull_timer& fired, pull_effects& effects) {
  if (fired.purpose == pull_timer_purpose::sweep) {
    if (timers_.end_sweep(fired.generation))
      sweep(effects);
    return finish_event(effects);
  }
  auto* known = pulls_.find(fired.id);
  if (known == nullptr)
    return;
  auto& entry = *known;
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

/// Gives up connections that have brought nothing since the last sweep, and what was asked in vain.
void pull_table::sweep(pull_effects& effects) {
  auto silent = asks_.take_silent_lanes();
  std::vector<object_id> given_up;
  for (const auto& [place, id] : lists_.admitted()) {
    auto& entry = pulls_.get(id);
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
    auto& entry = pulls_.get(id);
    planner_.cancel(entry, effects);
    if (auto slow = entry.sources.current())
      entry.sources.distrust(*slow);
    update(id, effects);
  }
  effects.insert(effects.end(), silent.begin(), silent.end());
}

// -- pulls --------------------------------------------------------------------------

/// Forgets who wants the object; a report has answered them.
void pull_table::end_requests(pull_state& entry) {
  lists_.delist(entry);
  entry.requests = {};
  for (auto token : std::exchange(entry.tokens, {}))
    requests_.erase(token);
}

void pull_table::report_failure(const object_id& id, error_type error, pull_effects& effects) {
  end_requests(pulls_.get(id));
  ++counters_.failed_objects;
  effects.push_back(report_pull_failed{id, error});
  update(id, effects);
}

void pull_table::forget(const object_id& id, pull_effects& effects) {
  auto& entry = pulls_.get(id);
  MOBULA_ASSERT(entry.asks.empty() && !entry.wanted() && entry.buffer_bytes == 0);
  lists_.delist(entry);
  planner_.recount(id, entry);
  timers_.stop(id, entry, effects);
  pulls_.erase(id);
}

/// Puts a pull where it belongs after a change, and does what it can do next. Every change of a
/// pull ends here; one that changes its place in the order has delisted it before.
void pull_table::update(const object_id& id, pull_effects& effects) {
  auto& entry = pulls_.get(id);
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
      admission_.drain(entry, effects);
    else if (entry.where == phase::reserving)
      admission_.withdraw(id, entry, effects);
  }
  if (entry.where == phase::draining && entry.asks.empty())
    admission_.give_back(id, entry, effects);
  if (entry.where == phase::waiting && !entry.wanted())
    return forget(id, effects);
  lists_.enlist(id, entry);
  planner_.ask_more(id, entry, effects);
  planner_.recount(id, entry);
  timers_.set(id, entry, planner_.wanted_timer(id, entry), effects);
}

/// Uses what the event has set free. Every event ends here.
void pull_table::finish_event(pull_effects& effects) {
  ask_hungry(effects);
  while (auto id = admission_.reserve_next(effects))
    update(*id, effects);
  if (asks_.empty())
    timers_.stop_sweep(effects);
}

/// Lets those ask that were kept from it by the limit, in the order of pulls.
void pull_table::ask_hungry(pull_effects& effects) {
  while (!lists_.hungry().empty()) {
    auto [place, id] = lists_.take_hungry();
    planner_.ask_more(id, pulls_.get(id), effects);
    if (lists_.hungry().contains(place))
      return;
  }
}

} // namespace mobula

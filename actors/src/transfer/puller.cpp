// Pulls values for this node, as the pull table decides: gets space from shards and bytes from the
// data port, turns to the owner when another source fails, and tells how each pull ended.

#include "puller.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "mobula/actors/caf/caf_log.hpp"
#include "mobula/actors/shard/refusal_error.hpp"

namespace mobula {

namespace {

pull_config config_of(const node_core& core) {
  return {.self = core.incarnation(), .chunk_bytes = core.options().transfer_chunk_bytes};
}

} // namespace

shared_use share_use(object_entry& entry) {
  entry.add_use();
  return std::make_shared<release_token>(&entry);
}

puller::puller(node_core& core, transfers_actor::pointer self, pusher& pushes)
  : core_(core), self_(self), pushes_(pushes), table_(config_of(core)) {
  timers_.attach(self);
}

void puller::close() {
  pulls_.clear();
}

object_id puller::id_of(pull_number number) const {
  return {.owner = core_.incarnation(), .sequence = static_cast<std::uint64_t>(number)};
}

// -- the cluster actor ----------------------------------------------------------------------------

void puller::pull(const pull_value& message) {
  auto id = id_of(message.copy->pulled_as);
  auto& entry = pulls_[id];
  MOBULA_ASSERT(entry.entry == nullptr && entry.buffer != buffer_state::sealing);
  entry.entry = std::move(*message.entry);
  entry.object = entry.entry->id();
  entry.copy = message.copy;
  entry.priority = message.priority;
  entry.source = message.source;
  entry.lost = 0;
  entry.failure = pull_outcome::failed;
  entry.token = pull_token{++tokens_};
  pushes_.copy_expected(entry.object, entry.copy);
  table_.pull(entry.token, id, entry.priority, effects_);
  if (reach_.obstacle(entry.source.node, core_.now()))
    entry.source.node = entry.object.owner;
  locate(id, entry);
  if (reach_.obstacle(entry.source.node, core_.now()))
    give_up(id, entry, error_type::object_fetch_timed_out, pull_outcome::unreachable);
  run();
}

/// The table takes news from whose number it is, and each of them once.
void puller::locate(const object_id& id, const pulled& entry) {
  table_.located(id,
                 {.owner = core_.incarnation(),
                  .sequence = ++news_,
                  .size_bytes = entry.copy->size_bytes,
                  .copies = {copy_location{.node = entry.source.node}}},
                 effects_);
}

/// Something is wrong with a node that is not the object's owner: that one has all bytes. Returns
/// whether there was such a turn to take.
bool puller::turn_to_owner(const object_id& id, const incarnation_id& from) {
  auto known = pulls_.find(id);
  if (known == pulls_.end() || from == known->second.object.owner)
    return false;
  auto& entry = known->second;
  if (entry.entry != nullptr && entry.source.node == from) {
    entry.source.node = entry.object.owner;
    locate(id, entry);
  }
  return true;
}

/// A second request of the table's; it ends with the first one.
void puller::raise(const raise_priority& message) {
  auto id = id_of(message.number);
  auto known = pulls_.find(id);
  if (known == pulls_.end() || known->second.entry == nullptr
      || known->second.priority <= message.priority)
    return;
  auto& entry = known->second;
  auto former = entry.token;
  entry.priority = message.priority;
  entry.token = pull_token{++tokens_};
  table_.pull(entry.token, id, entry.priority, effects_);
  table_.cancel(former, effects_);
  run();
}

void puller::end(const end_pull& message) {
  auto id = id_of(message.copy->pulled_as);
  auto known = pulls_.find(id);
  if (known == pulls_.end() || known->second.entry == nullptr) {
    // It has ended: the copy may be in the shard, or on its way there.
    core_.send_to_shard(message.copy->shard, release_pulled{message.copy, message.token});
    return;
  }
  auto& entry = known->second;
  entry.entry.reset();
  table_.cancel(entry.token, effects_);
  run();
  tidy(pulls_.find(id));
}

/// It may listen somewhere else than before.
void puller::source_joined(const incarnation_id& node) {
  reach_.forget(node);
}

void puller::source_left(const incarnation_id& node) {
  source_joined(node);
  std::vector<object_id> touched;
  for (const auto& [id, entry] : pulls_)
    if (entry.entry != nullptr && (entry.object.owner == node || entry.source.node == node))
      touched.push_back(id);
  std::ranges::sort(touched); // A replay must see the same order.
  for (const auto& id : touched)
    if (!turn_to_owner(id, node))
      give_up(id, pulls_.at(id), error_type::owner_died, pull_outcome::failed);
  run();
}

void puller::give_up(const object_id& id, pulled& entry, error_type error, pull_outcome outcome) {
  entry.failure = outcome;
  table_.fail(id, error, effects_);
  run();
}

/// Forgets a pull of which nothing is left.
void puller::tidy(pull_map::iterator position) {
  if (position == pulls_.end() || position->second.entry != nullptr
      || position->second.buffer != buffer_state::none)
    return;
  auto number = position->second.copy->pulled_as;
  pulls_.erase(position);
  pushes_.copy_ended(number);
}

// -- answers --------------------------------------------------------------------------------------

void puller::buffer_answered(const pull_buffer_answered& answer) {
  auto id = id_of(answer.number);
  auto& entry = pulls_.at(id);
  entry.buffer = answer.refusal ? buffer_state::none : buffer_state::given;
  if (!answer.refusal) {
    table_.buffer_granted(id, effects_);
  } else {
    entry.refusal = answer.refusal;
    table_.buffer_refused(id, effects_);
    // Neither time nor the end of others will help.
    if (answer.refusal->error == refusal::larger_than_store)
      table_.fail(id, error_type::store_full, effects_);
  }
  run();
  tidy(pulls_.find(id));
}

void puller::sealed(const pull_sealed& answer) {
  auto ended = pulls_.extract(id_of(answer.number));
  MOBULA_ASSERT(!ended.empty());
  pushes_.copy_sealed(answer.number, answer.pin);
  auto& entry = ended.mapped();
  if (entry.buffer == buffer_state::asked)
    found_whole(ended.key(), entry);
  else
    MOBULA_ASSERT(entry.buffer == buffer_state::sealing);
}

/// There was nothing to fetch. If nobody wants the copy any more, its shard has not heard of that.
void puller::found_whole(const object_id& id, pulled& entry) {
  table_.buffer_unneeded(id, effects_);
  run();
  if (entry.entry == nullptr)
    return send_to_shard(entry, release_pulled{entry.copy, nullptr});
  auto use = std::make_shared<release_token>(std::move(entry.entry));
  self_->send(core_.cluster(), pull_ended{std::move(use), pull_outcome::arrived, std::nullopt});
}

void puller::let_go(const buffer_let_go& news) {
  auto position = pulls_.find(id_of(news.number));
  // Somebody may read from it anew.
  if (position == pulls_.end() || position->second.buffer != buffer_state::leaving
      || pushes_.reads_buffer(news.number))
    return;
  give_buffer_back(position);
  run();
}

puller::asked_bytes puller::take_ask(ask_number ask) {
  return asks_.extract(ask).mapped();
}

void puller::received(const bytes_arrived& news) {
  auto& asked = asks_.at(news.ask);
  auto& entry = pulls_.at(asked.id);
  entry.lost = 0;
  byte_range range{asked.next, asked.next + news.bytes};
  asked.next = range.end;
  table_.bytes_arrived(news.ask, news.bytes, effects_);
  pushes_.copy_grew(entry.copy->pulled_as, range);
  run();
}

void puller::received(const request_finished& news) {
  take_ask(news.ask);
  table_.ask_finished(news.ask, effects_);
  run();
}

void puller::received(const request_refused& news) {
  auto [id, node, next] = take_ask(news.ask);
  table_.ask_refused(news.ask, news.reason, effects_);
  if (!turn_to_owner(id, node))
    owner_refused(id, news.reason);
  run();
  tidy(pulls_.find(id));
}

/// The owner has to say what became of the object.
void puller::owner_refused(const object_id& id, refusal_reason reason) {
  switch (reason) {
    case refusal_reason::not_here:
    case refusal_reason::unreadable:
      pulls_.at(id).failure = pull_outcome::gone;
      table_.fail(id, error_type::object_lost, effects_);
      break;
    case refusal_reason::out_of_range:
      table_.fail(id, error_type::object_lost, effects_);
      break;
    case refusal_reason::busy:
    case refusal_reason::shutting_down:
      break;
  }
}

void puller::received(const request_lost& news) {
  auto [id, node, next] = take_ask(news.ask);
  table_.ask_lost(news.ask, effects_);
  if (!turn_to_owner(id, node))
    owner_lost(id);
  run();
  tidy(pulls_.find(id));
}

/// Gives up if nobody answers at the owner's port, round after round.
void puller::owner_lost(const object_id& id) {
  auto& entry = pulls_.at(id);
  auto chunks = (entry.copy->size_bytes - 1) / core_.options().transfer_chunk_bytes + 1;
  auto in_a_round = std::min<std::uint64_t>(chunks, pull_config{}.chunks_per_pull);
  if (entry.entry != nullptr && ++entry.lost >= max_lost_rounds * in_a_round) {
    entry.failure = pull_outcome::unreachable;
    table_.fail(id, error_type::object_fetch_timed_out, effects_);
  }
}

void puller::received(const lane_progress& news) {
  table_.lane_progressed(news.node, news.lane);
}

void puller::received(const source_answered& news) {
  reach_effects effects;
  reach_.connected(news.node, effects);
  run(std::move(effects));
}

void puller::received(const source_silent& news) {
  reach_effects effects;
  reach_.connect_failed(news.node, news.why, core_.now(), effects);
  run(std::move(effects));
  if (!reach_.obstacle(news.node, core_.now()))
    return;
  std::vector<object_id> touched;
  for (const auto& [id, entry] : pulls_)
    if (entry.entry != nullptr && entry.source.node == news.node)
      touched.push_back(id);
  std::ranges::sort(touched); // A replay must see the same order.
  for (const auto& id : touched)
    if (!turn_to_owner(id, news.node))
      give_up(id, pulls_.at(id), error_type::object_fetch_timed_out, pull_outcome::unreachable);
  run();
}

// -- effects --------------------------------------------------------------------------------------

void puller::run() {
  actor_timers::event handled{timers_};
  while (!effects_.empty())
    for (const auto& effect : std::exchange(effects_, {}))
      std::visit([this](const auto& content) { apply(content); }, effect);
}

void puller::run(reach_effects effects) {
  for (const auto& effect : effects)
    std::visit([this](const auto& content) { apply(content); }, effect);
}

template <class Message>
void puller::send_to_shard(const pulled& entry, Message message) {
  core_.send_to_shard(entry.copy->shard, std::move(message));
}

void puller::apply(const reserve_buffer& effect) {
  auto& entry = pulls_.at(effect.id);
  if (entry.buffer == buffer_state::leaving) {
    entry.next = next_buffer::wanted;
    entry.next_priority = effect.priority;
    return;
  }
  reserve(entry, effect.priority);
}

void puller::reserve(pulled& entry, reserve_priority priority) {
  entry.buffer = buffer_state::asked;
  auto until = priority == reserve_priority::must ? patience::unlimited : patience::none;
  send_to_shard(entry, reserve_pull_buffer{entry.copy, until, entry.object, entry.source.ticket});
}

void puller::apply(const withdraw_buffer& effect) {
  auto& entry = pulls_.at(effect.id);
  if (entry.buffer == buffer_state::leaving)
    entry.next = next_buffer::withdrawn;
  else
    send_to_shard(entry, withdraw_pull_buffer{entry.copy->pulled_as});
}

void puller::apply(const return_buffer& effect) {
  auto position = pulls_.find(effect.id);
  if (pushes_.reads_buffer(position->second.copy->pulled_as))
    position->second.buffer = buffer_state::leaving;
  else
    give_buffer_back(position);
}

/// The next one can be asked for now.
void puller::give_buffer_back(pull_map::iterator position) {
  auto& [id, entry] = *position;
  send_to_shard(entry, return_pull_buffer{entry.copy->pulled_as});
  entry.buffer = buffer_state::none;
  switch (std::exchange(entry.next, next_buffer::unneeded)) {
    case next_buffer::unneeded:
      return tidy(position);
    case next_buffer::wanted:
      return reserve(entry, entry.next_priority);
    case next_buffer::withdrawn:
      table_.buffer_refused(id, effects_);
      return tidy(position);
  }
}

void puller::apply(const ask_bytes& effect) {
  const auto& entry = pulls_.at(effect.range.id);
  asks_.emplace(effect.ask, asked_bytes{effect.range.id, effect.node, effect.range.offset_bytes});
  auto asked = effect;
  asked.range.id = entry.object;
  port_->ask(asked,
             entry.copy->storage().subspan(effect.range.offset_bytes, effect.range.length_bytes));
}

void puller::apply(const cancel_ask& effect) {
  port_->cancel(effect);
}

void puller::apply(const close_lane& effect) {
  port_->close(effect);
}

void puller::apply(const start_pull_timer& effect) {
  auto end = [this, timer = effect.timer] {
    core_.count_message();
    awaited_.erase(timer.generation);
    table_.timer_fired(timer, effects_);
    run();
  };
  awaited_.emplace(effect.timer.generation,
                   timers_.start(std::chrono::milliseconds{effect.delay_ms}, std::move(end)));
}

void puller::apply(const stop_pull_timer& effect) {
  if (auto running = awaited_.extract(effect.timer.generation); !running.empty())
    timers_.stop(running.mapped());
}

void puller::apply(const report_pull_began& effect) {
  pushes_.copy_began(pulls_.at(effect.id).copy->pulled_as);
}

void puller::apply(const report_pull_stopped& effect) {
  pushes_.copy_stopped(pulls_.at(effect.id).copy->pulled_as);
}

void puller::apply(const report_arrived& effect) {
  auto& entry = pulls_.at(effect.id);
  entry.buffer = buffer_state::sealing;
  auto use = std::make_shared<release_token>(std::move(entry.entry));
  send_to_shard(entry, seal_pulled{entry.copy, std::move(use)});
}

void puller::apply(const report_pull_failed& effect) {
  auto position = pulls_.find(effect.id);
  auto& entry = position->second;
  auto reason = explain(entry, effect.error);
  auto use = std::make_shared<release_token>(std::move(entry.entry));
  self_->send(core_.cluster(), pull_ended{std::move(use), entry.failure, std::move(reason)});
  tidy(position);
}

void puller::apply(const report_unreachable& effect) {
  log_warning(fmt::format("the data port of node {} cannot be reached: {}; its values come with "
                          "messages, which is slow, until it can; is it behind a firewall, or does "
                          "it name a wrong address?",
                          to_string(effect.node), to_string(effect.why)));
}

void puller::apply(const report_reachable& effect) {
  log_info(fmt::format("the data port of node {} can be reached again", to_string(effect.node)));
}

error_info puller::explain(const pulled& entry, error_type error) const {
  if (error == error_type::store_full && entry.refusal) {
    auto refused = *entry.refusal;
    refused.id = entry.object;
    auto result =
      refusal_error(refused, core_.options(), core_.heap(), core_.latest_disk_trouble());
    result.origin = core_.origin();
    return result;
  }
  auto object = to_string(entry.object);
  auto owner = to_string(entry.object.owner);
  auto text = [&]() -> std::string {
    if (error == error_type::owner_died)
      return fmt::format("node {}, which owned object {}, is dead or cannot be reached", owner,
                         object);
    if (entry.failure == pull_outcome::unreachable)
      return fmt::format("the bytes of object {} cannot be fetched: nobody answers at the data "
                         "port of node {}; see whether a firewall is in the way, and try again",
                         object, owner);
    return fmt::format(
      "the bytes of object {} could not be fetched from node {} this time; try again", object,
      owner);
  }();
  return {.type = error, .message = std::move(text), .origin = core_.origin()};
}

// -- properties -----------------------------------------------------------------------------------

void puller::add_figures(node_stats& stats) const {
  auto figures = table_.stats();
  stats.pulls += pulls_.size();
  stats.timers += timers_.size();
  stats.unreachable_ports += reach_.unreachable();
  stats.pulled += {figures.arrived_objects, figures.arrived_bytes};
  stats.failed_pulls += figures.failed_objects;
  stats.lost_asks += figures.lost_asks;
}

void puller::check_invariants() const {
  table_.check_invariants();
  MOBULA_ASSERT(asks_.size() == table_.stats().asks);
  for (const auto& [id, entry] : pulls_) {
    MOBULA_ASSERT(entry.entry != nullptr || entry.buffer != buffer_state::none);
    MOBULA_ASSERT(entry.next == next_buffer::unneeded || entry.buffer == buffer_state::leaving);
  }
}

} // namespace mobula

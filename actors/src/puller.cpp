#include "puller.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "mobula/actors/refusal_error.hpp"

namespace mobula {

namespace {

pull_config config_of(const node_core& core) {
  return {.self = core.incarnation(), .chunk_bytes = core.options().transfer_chunk_bytes};
}

} // namespace

shared_use share_use(object_entry& entry) {
  entry.add_use();
  return std::make_shared<entry_scope>(&entry);
}

puller::puller(node_core& core, transfers_actor::pointer self)
  : core_(core), self_(self), table_(config_of(core)) {
  // nop
}

void puller::close() {
  pulls_.clear();
}

object_id puller::id_of(const stored_copy& copy) const {
  return {.owner = core_.incarnation(), .sequence = static_cast<std::uint64_t>(copy.pulled_as)};
}

// -- the cluster actor ----------------------------------------------------------------------------

void puller::pull(const pull_value& message) {
  auto id = id_of(*message.copy);
  auto& entry = pulls_[id];
  MOBULA_ASSERT(entry.entry == nullptr);
  entry.entry = std::move(*message.entry);
  entry.object = entry.entry->id();
  entry.copy = message.copy;
  entry.urgency = message.urgency;
  entry.lost = 0;
  entry.failure = pull_outcome::failed;
  entry.token = pull_token{++tokens_};
  table_.pull(entry.token, id, entry.urgency, effects_);
  // The table takes news from whose number it is, and each of them once.
  table_.located(id,
                 {.owner = core_.incarnation(),
                  .sequence = tokens_,
                  .size_bytes = entry.copy->size_bytes,
                  .copies = {copy_location{.node = entry.object.owner}}},
                 effects_);
  run();
}

/// A second request of the table's; it ends with the first one.
void puller::urge(const urge_pull& message) {
  object_id id{core_.incarnation(), static_cast<std::uint64_t>(message.number)};
  auto known = pulls_.find(id);
  if (known == pulls_.end() || known->second.entry == nullptr
      || known->second.urgency <= message.urgency)
    return;
  auto& entry = known->second;
  auto former = entry.token;
  entry.urgency = message.urgency;
  entry.token = pull_token{++tokens_};
  table_.pull(entry.token, id, entry.urgency, effects_);
  table_.cancel(former, effects_);
  run();
}

void puller::end(const end_pull& message) {
  auto known = pulls_.find(id_of(*message.copy));
  if (known == pulls_.end() || known->second.entry == nullptr) {
    // It has ended: the copy may be in the shard, or on its way there.
    core_.send_to_shard(message.copy->shard, release_pulled{message.copy, message.scope});
    return;
  }
  auto& entry = known->second;
  entry.entry.reset();
  table_.cancel(entry.token, effects_);
  run();
  tidy(pulls_.find(id_of(*message.copy)));
}

void puller::source_left(const incarnation_id& node) {
  std::vector<object_id> ended;
  for (const auto& [id, entry] : pulls_)
    if (entry.entry != nullptr && entry.object.owner == node)
      ended.push_back(id);
  std::ranges::sort(ended); // A replay must see the same order.
  for (const auto& id : ended)
    give_up(id, pulls_.at(id), error_type::owner_died, pull_outcome::failed);
}

void puller::give_up(const object_id& id, pulled& entry, error_type error, pull_outcome outcome) {
  entry.failure = outcome;
  table_.fail(id, error, effects_);
  run();
}

/// Forgets a pull of which nothing is left.
void puller::tidy(pull_map::iterator position) {
  if (position != pulls_.end() && position->second.entry == nullptr
      && position->second.room == room_state::none)
    pulls_.erase(position);
}

// -- answers --------------------------------------------------------------------------------------

void puller::room_answered(const pull_room_answered& answer) {
  object_id id{core_.incarnation(), static_cast<std::uint64_t>(answer.number)};
  auto& entry = pulls_.at(id);
  entry.room = answer.refusal ? room_state::none : room_state::given;
  if (!answer.refusal) {
    table_.room_granted(id, effects_);
  } else {
    entry.refusal = answer.refusal;
    table_.room_refused(id, effects_);
    // Neither time nor the end of others will help.
    if (answer.refusal->error == refusal::larger_than_store)
      table_.fail(id, error_type::store_full, effects_);
  }
  run();
  tidy(pulls_.find(id));
}

puller::pull_map::iterator puller::take_ask(ask_number ask) {
  auto position = pulls_.find(asks_.at(ask));
  MOBULA_ASSERT(position != pulls_.end());
  asks_.erase(ask);
  return position;
}

void puller::received(const bytes_came& news) {
  pulls_.at(asks_.at(news.ask)).lost = 0;
  table_.bytes_arrived(news.ask, news.bytes, effects_);
  run();
}

void puller::received(const ask_complete& news) {
  take_ask(news.ask);
  table_.ask_finished(news.ask, effects_);
  run();
}

void puller::received(const ask_turned_down& news) {
  auto position = take_ask(news.ask);
  auto id = position->first;
  table_.ask_refused(news.ask, news.reason, effects_);
  auto& entry = position->second;
  // The owner is the only source, and has to say what became of the object.
  switch (news.reason) {
    case refusal_reason::not_here:
    case refusal_reason::unreadable:
      entry.failure = pull_outcome::gone;
      table_.fail(id, error_type::object_lost, effects_);
      break;
    case refusal_reason::out_of_range:
      table_.fail(id, error_type::object_lost, effects_);
      break;
    case refusal_reason::busy:
    case refusal_reason::shutting_down:
      break;
  }
  run();
  tidy(pulls_.find(id));
}

void puller::received(const ask_broken& news) {
  auto position = take_ask(news.ask);
  auto id = position->first;
  auto& entry = position->second;
  table_.ask_lost(news.ask, effects_);
  auto chunks = (entry.copy->size_bytes - 1) / core_.options().transfer_chunk_bytes + 1;
  auto in_a_round = std::min<std::uint64_t>(chunks, pull_config{}.chunks_per_pull);
  if (entry.entry != nullptr && ++entry.lost >= most_lost_rounds * in_a_round) {
    entry.failure = pull_outcome::unreachable;
    table_.fail(id, error_type::object_fetch_timed_out, effects_);
  }
  run();
  tidy(pulls_.find(id));
}

void puller::timer_over(const pull_timer& timer) {
  --timers_;
  table_.timer_fired(timer, effects_);
  run();
}

// -- effects --------------------------------------------------------------------------------------

void puller::run() {
  for (const auto& effect : std::exchange(effects_, {}))
    std::visit([this](const auto& content) { apply(content); }, effect);
}

template <class Message>
void puller::send_to_shard(const pulled& entry, Message message) {
  core_.send_to_shard(entry.copy->shard, std::move(message));
}

void puller::apply(const reserve_room& effect) {
  auto& entry = pulls_.at(effect.id);
  entry.room = room_state::asked;
  auto until = effect.urgency == room_urgency::must ? patience::unlimited : patience::none;
  send_to_shard(entry, want_pull_room{entry.copy, until});
}

void puller::apply(const withdraw_room& effect) {
  auto& entry = pulls_.at(effect.id);
  send_to_shard(entry, withdraw_pull_room{entry.copy->pulled_as});
}

void puller::apply(const abandon_room& effect) {
  auto position = pulls_.find(effect.id);
  auto& entry = position->second;
  send_to_shard(entry, abandon_pull_room{entry.copy->pulled_as});
  entry.room = room_state::none;
  tidy(position);
}

void puller::apply(const ask_bytes& effect) {
  const auto& entry = pulls_.at(effect.range.id);
  asks_.emplace(effect.ask, effect.range.id);
  auto asked = effect;
  asked.range.id = entry.object;
  port_->ask(asked,
             entry.copy->storage().subspan(effect.range.offset_bytes, effect.range.length_bytes));
}

void puller::apply(const cancel_ask& effect) {
  port_->cancel(effect);
}

void puller::apply(const start_pull_timer& effect) {
  ++timers_;
  self_->delayed_send(self_, std::chrono::milliseconds{effect.delay_ms},
                      pull_timer_over{effect.timer});
}

void puller::apply(const report_pull_began&) {
  // Nobody else fetches the object from here.
}

void puller::apply(const report_pull_stopped&) {
  // As above.
}

void puller::apply(const report_arrived& effect) {
  auto ended = pulls_.extract(effect.id);
  auto& entry = ended.mapped();
  auto use = std::make_shared<entry_scope>(std::move(entry.entry));
  send_to_shard(entry, seal_pulled{entry.copy, std::move(use)});
}

void puller::apply(const report_pull_failed& effect) {
  auto position = pulls_.find(effect.id);
  auto& entry = position->second;
  auto reason = explain(entry, effect.error);
  auto use = std::make_shared<entry_scope>(std::move(entry.entry));
  self_->send(core_.cluster(), pull_ended{std::move(use), entry.failure, std::move(reason)});
  tidy(position);
}

error_info puller::explain(const pulled& entry, error_type error) const {
  if (error == error_type::store_full && entry.refusal) {
    auto refused = *entry.refusal;
    refused.id = entry.object;
    auto result = refusal_error(refused, core_.options(), std::nullopt);
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
                         "port of node {}",
                         object, owner);
    return fmt::format("the bytes of object {} could not be fetched from node {}", object, owner);
  }();
  return {.type = error, .message = std::move(text), .origin = core_.origin()};
}

// -- properties -----------------------------------------------------------------------------------

void puller::add_figures(node_stats& stats) const {
  auto figures = table_.stats();
  stats.pulls += pulls_.size();
  stats.pull_timers += timers_;
  stats.pulled += {figures.arrived_objects, figures.arrived_bytes};
  stats.failed_pulls += figures.failed_objects;
  stats.lost_asks += figures.lost_asks;
}

void puller::check_invariants() const {
  table_.check_invariants();
  MOBULA_ASSERT(asks_.size() == table_.stats().asks);
  for (const auto& [id, entry] : pulls_)
    MOBULA_ASSERT(entry.entry != nullptr || entry.room != room_state::none);
}

} // namespace mobula

// The cluster actor's part in references: turns what happened at the gateway, and what other nodes
// say, into events of the protocol's tables, and carries out their effects.

#include "mobula/actors/exchange/reference_exchange.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "mobula/actors/exchange/object_reply.hpp"
#include "mobula/actors/messages/cluster_requests.hpp"
#include "mobula/actors/messages/shard_messages.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

error_info failure_of(const object_entry& entry, reference_failure reason) {
  auto id = to_string(entry.id());
  if (reason == reference_failure::owner_died)
    return {.type = error_type::owner_died,
            .message = fmt::format("node {}, which owned object {}, is dead or cannot be reached",
                                   to_string(entry.id().owner), id),
            .origin = entry.core().origin()};
  return {.type = error_type::object_deleted,
          .message = fmt::format("object {} does not exist any more at its owner", id),
          .origin = entry.core().origin()};
}

} // namespace

// -- life -----------------------------------------------------------------------------------------

reference_exchange::~reference_exchange() {
  stop();
}

void reference_exchange::attach(caf::scheduled_actor* self, node_core& core, owner_finder& finder) {
  self_ = self;
  core_ = &core;
  finder_ = &finder;
  timers_.attach(self);
  tables_ = std::make_unique<reference_protocol>(core.incarnation());
  copies_ = std::make_unique<copy_directory>(core.incarnation(), core.own_arena().host.boot_id);
  value_server_ = std::make_unique<value_server>(core, *copies_);
  keeper_ = std::make_unique<value_keeper>(core);
}

void reference_exchange::stop() {
  if (tables_ == nullptr)
    return;
  value_server_.reset();
  keeper_.reset();
  drain_.reset();
  auto events = core_->gateway().close();
  core_->arenas().close();
  peers_.clear();
  nodes_.clear();
  tables_->traffic(events.traffic, effects_);
  tables_->shut_down(effects_);
  // There is nobody to tell and nothing to wait for any more.
  std::erase_if(effects_,
                [](const auto& effect) { return !std::holds_alternative<drop_handles>(effect); });
  run();
  let_go(events.dropped);
  tables_.reset();
  copies_.reset();
  reports_.clear();
  graces_.clear();
  in_place_requests_.clear();
  pull_requests_.clear();
  inline_requests_.clear();
  pulls_.clear();
  timers_.stop_all();
}

// -- turns ----------------------------------------------------------------------------------------

void reference_exchange::turn() {
  value_server_->begin_event();
  auto events = core_->gateway().take();
  tell_tables(events);
  tell_ready(events);
  pass_on_freed(events);
  ask_owners(events);
  raise_priorities(events);
}

void reference_exchange::tell_tables(gateway_events& events) {
  tables_->traffic(events.traffic, effects_);
  run();
  let_go(events.dropped);
}

// -- sessions -------------------------------------------------------------------------------------

void reference_exchange::session_opened(const peer_session& opened, caf::strong_actor_ptr handle,
                                        const peer_addresses& addresses) {
  turn();
  forget_peer(opened.node);
  core_->arenas().session_opened(opened.node, addresses.arena);
  if (!core_->own_endpoint().where.empty() && !addresses.data.where.empty())
    caf::anon_send(core_->transfers(), source_joined{opened.node, addresses.data});
  copies_->node_joined(opened.node, addresses.arena.host.boot_id);
  nodes_[handle.get()] = opened.node;
  peers_[opened.node] = {opened.session, std::move(handle), addresses.data};
  tables_->session_started(opened, effects_);
  run();
  ask_owners({});
}

void reference_exchange::session_closed(const peer_session& closed) {
  turn();
  auto known = peers_.find(closed.node);
  if (known == peers_.end() || known->second.session != closed.session)
    return;
  forget_peer(closed.node);
  tables_->session_ended(closed, effects_);
  run();
}

void reference_exchange::forget_peer(const incarnation_id& node) {
  auto known = peers_.find(node);
  if (known == peers_.end())
    return;
  nodes_.erase(known->second.handle.get());
  peers_.erase(known);
  value_server_->session_ended(node);
  copies_->node_left(node);
  // It has forgotten this node's copies as well.
  reports_.erase(node);
  if (drain_)
    drain_->table.node_left(node);
  core_->arenas().session_closed(node);
  caf::anon_send(core_->transfers(), source_left{node});
  for (std::uint32_t shard = 0; shard < core_->options().shards; ++shard)
    core_->send_to_shard(shard, readers_lost{});
}

void reference_exchange::owner_unreachable(const incarnation_id& owner) {
  turn();
  if (peers_.contains(owner))
    return;
  in_place_requests_.erase(owner);
  pull_requests_.erase(owner);
  inline_requests_.erase(owner);
  tables_->owner_unreachable(owner, effects_);
  run();
}

// -- messages -------------------------------------------------------------------------------------

const incarnation_id* reference_exchange::sender() const {
  auto known = nodes_.find(self_->current_sender().get());
  return known == nodes_.end() ? nullptr : &known->second;
}

template <class Message>
void reference_exchange::pass_on(const Message& message) {
  turn();
  if (const auto* from = sender()) {
    tables_->receive(*from, message, effects_);
    run();
  }
}

void reference_exchange::received(const borrow_references& message) {
  turn();
  const auto* from = sender();
  if (from == nullptr)
    return;
  std::vector<kept_handle> found;
  found.reserve(message.references.size());
  // Values that travel with references may reach a reader after they were freed.
  std::vector<std::uint64_t> freed;
  for (const auto& reference : message.references) {
    found.push_back(core_->gateway().keep_own(reference.sequence));
    if (found.back() == kept_handle::none)
      continue;
    if (entry_of(found.back()).phase() == object_phase::freed)
      freed.push_back(reference.sequence);
  }
  tables_->receive(*from, message, found, effects_);
  if (drain_)
    for (const auto& reference : message.references)
      drain_->table.look_at(reference.sequence);
  run();
  for (auto sequence : freed)
    if (auto entry = core_->gateway().find_own(sequence))
      value_server_->reply(reply_with_error(sequence, reply_outcome::failed, entry->failure()),
                           {*from, message.session});
  send_answers();
}

void reference_exchange::received(const return_references& message) {
  pass_on(message);
  const auto* from = sender();
  if (from == nullptr)
    return;
  for (const auto& reference : message.references)
    if ((drain_ || value_server_->awaited(reference.sequence)
         || copies_->has_copy(reference.sequence, *from))
        && !tables_->exports().borrows(*from, reference.sequence)) {
      value_server_->let_go(*from, reference.sequence);
      copies_->copy_gone(reference.sequence, *from);
      if (drain_)
        drain_->table.let_go(*from, reference.sequence);
    }
  end_drain_if_done();
}

void reference_exchange::received(const references_confirmed& message) {
  pass_on(message);
}

void reference_exchange::received(const transits_ended& message) {
  pass_on(message);
}

void reference_exchange::received(const pass_barrier& message) {
  pass_on(message);
}

void reference_exchange::received(const barrier_passed& message) {
  pass_on(message);
}

// -- effects --------------------------------------------------------------------------------------

void reference_exchange::run() {
  // Carrying one out appends none: the events that it causes at the gateway are for the next turn.
  for (auto& effect : std::exchange(effects_, {}))
    std::visit([this](auto& content) { apply(content); }, effect);
  end_drain_if_done();
}

void reference_exchange::apply(send_to_peer& effect) {
  auto to = peers_.find(effect.to.node);
  if (to != peers_.end() && to->second.session == effect.to.session)
    std::visit([&](auto& content) { send(to->second, std::move(content)); }, effect.message);
}

void reference_exchange::apply(drop_handles& effect) {
  core_->gateway().release(effect.handles);
}

void reference_exchange::apply(fail_references& effect) {
  for (auto token : effect.entries) {
    auto& entry = entry_of(token);
    core_->gateway().forget(entry);
    if (keeper_ != nullptr && keeper_->keeps(entry))
      continue;
    end_waiting(entry, failure_of(entry, effect.reason));
    if (has_pulled(entry))
      stop_pull(entry, nullptr);
  }
}

void reference_exchange::apply(start_grace& effect) {
  graces_[effect.number] = deadline_after(core_->now(), core_->options().grace_period);
  start_timer(core_->options().grace_period, [this, number = effect.number] {
    turn();
    graces_.erase(number);
    tables_->grace_over(number, effects_);
    run();
  });
}

void reference_exchange::apply(start_lease& effect) {
  start_timer(core_->options().transit_lease, [this, mark = effect.mark] {
    turn();
    tables_->lease_passed(mark, effects_);
    run();
  });
}

void reference_exchange::apply(connect_to_owner& effect) {
  if (!peers_.contains(effect.owner))
    finder_->find_owner(effect.owner);
}

deadline reference_exchange::start_timer(std::chrono::nanoseconds delay,
                                         std::function<void()> at_end) {
  return timers_.start(delay, [this, at_end = std::move(at_end)] {
    core_->count_message();
    at_end();
  });
}

// -- properties -----------------------------------------------------------------------------------

void reference_exchange::add_figures(node_stats& stats) const {
  auto borrows = tables_->borrows().stats();
  stats.open_transits += tables_->transits().stats().open;
  stats.exported_objects += tables_->exports().stats().objects;
  stats.borrowed_objects += borrows.borrows;
  stats.peer_waits += borrows.batches_in_flight + borrows.outer_keeps + borrows.barriers_waiting
                      + value_server_->waiting();
  for (const auto* requests : {&in_place_requests_, &pull_requests_, &inline_requests_})
    for (const auto& [owner, sequences] : *requests)
      stats.peer_waits += sequences.size();
  for (const auto& [owner, reports] : reports_)
    stats.peer_waits += reports.size();
  stats.known_copies += copies_->copies();
  stats.peer_timers += timers_.size();
  stats.timers += timers_.size();
  stats.peer_messages += messages_;
}

void reference_exchange::count_references(object_listing& listing) const {
  if (!listing.counts_references())
    return;
  std::unordered_map<std::uint64_t, std::uint64_t> counts;
  tables_->transits().for_each([&](const opened_transit& transit) {
    if (transit.object.owner == core_->incarnation())
      ++counts[transit.object.sequence];
  });
  tables_->exports().for_each([&](std::uint64_t sequence) {
    auto& count = counts[sequence];
    for (const auto& [node, borrowed] : tables_->exports().borrowers_of(sequence))
      count += borrowed;
    for (const auto& lost : tables_->exports().lost_holders_of(sequence))
      count += lost.count;
  });
  for (const auto& [sequence, count] : counts)
    listing.held_elsewhere(sequence, count, kept_handles(sequence));
}

/// Handles that the tables and the value server keep are no references of the process.
std::uint32_t reference_exchange::kept_handles(std::uint64_t sequence) const {
  return core_->gateway().kept_handles(sequence) + (value_server_->awaited(sequence) ? 1 : 0);
}

/// Time until what a node held is let go whose grace period this is.
std::uint64_t reference_exchange::left_ms(grace_number grace) const {
  auto known = graces_.find(grace);
  if (known == graces_.end() || known->second <= core_->now())
    return 0;
  return static_cast<std::uint64_t>((known->second - core_->now()) / std::chrono::milliseconds{1});
}

void reference_exchange::describe(object_listing& listing) const {
  tables_->transits().for_each([&](const opened_transit& transit) {
    auto* listed = transit.object.owner == core_->incarnation()
                     ? listing.find(transit.object.sequence)
                     : nullptr;
    if (listed != nullptr)
      ++listed->transits;
  });
  for (auto& listed : listing.objects) {
    for (const auto& [node, count] : tables_->exports().borrowers_of(listed.sequence))
      listed.borrowers.push_back({node, count});
    for (const auto& lost : tables_->exports().lost_holders_of(listed.sequence))
      listed.lost_holders.push_back({lost.node, lost.count, left_ms(lost.grace)});
    listed.local -= std::min(listed.local, kept_handles(listed.sequence));
  }
}

void reference_exchange::check_invariants() const {
  tables_->check_invariants();
  core_->gateway().check_invariants();
  copies_->check_invariants();
  MOBULA_ASSERT(peers_.size() == nodes_.size());
  for (const auto& [node, peer] : peers_)
    MOBULA_ASSERT(nodes_.at(peer.handle.get()) == node);
}

} // namespace mobula

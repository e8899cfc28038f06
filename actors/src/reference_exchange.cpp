#include "mobula/actors/reference_exchange.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "mobula/actors/cluster_actor.hpp"
#include "mobula/actors/node_core.hpp"
#include "mobula/actors/told_value.hpp"
#include "mobula/store/assertion.hpp"

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
  tables_ = std::make_unique<reference_protocol>(core.incarnation());
  copies_ = std::make_unique<copy_directory>(core.incarnation(), core.own_arena().host.boot_id);
  teller_ = std::make_unique<value_teller>(core, *copies_);
  keeper_ = std::make_unique<value_keeper>(core);
}

void reference_exchange::stop() {
  if (tables_ == nullptr)
    return;
  teller_.reset();
  keeper_.reset();
  drain_.reset();
  auto changes = core_->border().close();
  core_->arenas().close();
  peers_.clear();
  nodes_.clear();
  tables_->traffic(changes.traffic, effects_);
  tables_->shut_down(effects_);
  // There is nobody to tell and nothing to wait for any more.
  std::erase_if(effects_,
                [](const auto& effect) { return !std::holds_alternative<drop_handles>(effect); });
  run();
  let_go(changes.dropped);
  tables_.reset();
  copies_.reset();
  reports_.clear();
  wants_.clear();
  frees_.clear();
  moved_.clear();
  spoilt_.clear();
  pulls_.clear();
  for (auto timer : timers_)
    self_->clock().cancel_request_timeout(self_, timer);
  timers_.clear();
}

// -- turns ----------------------------------------------------------------------------------------

void reference_exchange::turn() {
  auto changes = core_->border().take();
  tell_tables(changes);
  tell_ready(changes);
  pass_on_freed(changes);
  ask_owners(changes);
  urge_pulls(changes);
}

void reference_exchange::tell_tables(border_changes& changes) {
  tables_->traffic(changes.traffic, effects_);
  run();
  let_go(changes.dropped);
}

void reference_exchange::tell_ready(const border_changes& changes) {
  for (auto sequence : changes.ready)
    teller_->ready(sequence);
  send_answers();
}

/// To those who hold what is this node's, and to the owners of what is not.
void reference_exchange::pass_on_freed(const border_changes& changes) {
  told_lists told;
  for (const auto& object : changes.freed)
    if (object.owner == core_->incarnation())
      tell_borrowers(object.sequence, told);
    else
      ask_to_free(object);
  for (auto& [node, objects] : told)
    send(peers_.at(node), objects_told{peers_.at(node).session, std::move(objects)});
  flush(frees_, [this](const incarnation_id&, const peer& to, auto& sequences) {
    send(to, free_objects{to.session, std::move(sequences)});
  });
}

/// Sends each owner its list, with `send_list`, unless there is no session with it: its list waits
/// for one.
template <class Lists, class F>
void reference_exchange::flush(Lists& lists, F send_list) {
  for (auto each = lists.begin(); each != lists.end();) {
    auto& [owner, list] = *each;
    auto to = peers_.find(owner);
    if (to == peers_.end()) {
      ++each;
      continue;
    }
    send_list(owner, to->second, list);
    each = lists.erase(each);
  }
}

void reference_exchange::ask_to_free(const object_id& foreign) {
  if (auto entry = core_->border().find_foreign(foreign))
    stop_if_freed(*entry.get());
  if (tables_->borrows().expects(foreign.owner))
    frees_[foreign.owner].push_back(foreign.sequence);
}

/// Who borrows the object from now on asks for it and is told then.
void reference_exchange::tell_borrowers(std::uint64_t sequence, told_lists& told) {
  auto entry = core_->border().find_own(sequence);
  if (!entry)
    return;
  auto news = tell_error(sequence, told_outcome::failed, entry->failure());
  for (const auto& [node, count] : tables_->exports().borrowers_of(sequence))
    if (peers_.contains(node))
      told[node].push_back(news);
}

/// After the borrows of the same turn, so that the owner knows that the objects are held.
void reference_exchange::ask_owners(const border_changes& changes) {
  for (const auto& object : changes.wanted)
    wants_[object.owner].push_back(object.sequence);
  send_wants(wants_, told_form::place);
  send_wants(moved_, told_form::description);
  send_wants(spoilt_, told_form::bytes);
}

/// Returns how an owner is to tell of values, at best: read where they are, pulled, or in a
/// message.
told_form reference_exchange::form_for(const incarnation_id& owner, const peer& to,
                                       told_form best) const {
  if (best == told_form::place && core_->arenas().reader_of(owner) != nullptr)
    return told_form::place;
  auto pulls = core_->door().where.port != 0 && to.door.where.port != 0;
  return best != told_form::bytes && pulls ? told_form::description : told_form::bytes;
}

void reference_exchange::send_wants(want_lists& wants, told_form best) {
  flush(wants, [&](const incarnation_id& owner, const peer& to, auto& sequences) {
    send(to, want_objects{.session = to.session,
                          .form = form_for(owner, to, best),
                          .sequences = std::move(sequences)});
  });
}

void reference_exchange::send_answers() {
  for (auto& [reader, answer] : teller_->take_answers())
    if (auto to = peers_.find(reader.node);
        to != peers_.end() && to->second.session == reader.session)
      send(to->second, std::move(answer));
}

void reference_exchange::send_reports() {
  turn();
  flush(reports_, [this](const incarnation_id&, const peer& to, auto& copies) {
    send(to, report_copies{to.session, std::move(copies)});
  });
}

// -- sessions -------------------------------------------------------------------------------------

void reference_exchange::session_opened(const peer_session& opened, caf::strong_actor_ptr handle,
                                        const peer_places& places) {
  turn();
  forget_peer(opened.node);
  core_->arenas().session_opened(opened.node, places.arena);
  if (core_->door().where.port != 0 && places.door.where.port != 0)
    caf::anon_send(core_->transfers(), source_joined{opened.node, places.door});
  copies_->node_joined(opened.node, places.arena.host.boot_id);
  nodes_[handle.get()] = opened.node;
  peers_[opened.node] = {opened.session, std::move(handle), places.door};
  tables_->session_started(opened, effects_);
  run();
  pass_on_freed({});
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
  teller_->session_ended(node);
  copies_->node_left(node);
  // It has forgotten this node's copies as well.
  reports_.erase(node);
  if (drain_)
    drain_->table.node_left(node);
  end_drain_if_done();
  core_->arenas().session_closed(node);
  caf::anon_send(core_->transfers(), source_left{node});
  for (std::uint32_t shard = 0; shard < core_->options().shards; ++shard)
    core_->send_to_shard(shard, readers_lost{});
}

void reference_exchange::owner_unreachable(const incarnation_id& owner) {
  turn();
  if (peers_.contains(owner))
    return;
  wants_.erase(owner);
  frees_.erase(owner);
  moved_.erase(owner);
  spoilt_.erase(owner);
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
  std::vector<told_object> freed;
  for (const auto& reference : message.references) {
    found.push_back(core_->border().keep_own(reference.sequence));
    if (found.back() == kept_handle::none)
      continue;
    if (auto& entry = entry_of(found.back()); entry.phase() == object_phase::freed)
      freed.push_back(tell_error(reference.sequence, told_outcome::failed, entry.failure()));
  }
  tables_->receive(*from, message, found, effects_);
  run();
  if (!freed.empty())
    send(peers_.at(*from), objects_told{peers_.at(*from).session, std::move(freed)});
}

void reference_exchange::received(const return_references& message) {
  pass_on(message);
  const auto* from = sender();
  if (from == nullptr)
    return;
  for (const auto& reference : message.references)
    if ((drain_ || teller_->awaited(reference.sequence)
         || copies_->has_copy(reference.sequence, *from))
        && !tables_->exports().borrows(*from, reference.sequence)) {
      teller_->let_go(*from, reference.sequence);
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

void reference_exchange::received(const want_objects& message) {
  turn();
  const auto* from = sender_of(message);
  if (from == nullptr)
    return;
  // Who has returned an object gets no answer. It may have borrowed it anew meanwhile, and then
  // asks anew: an answer to the first question must not be taken for one to the second.
  auto sequences = message.sequences;
  std::erase_if(sequences, [&](auto each) { return !tables_->exports().borrows(*from, each); });
  teller_->wanted({{*from, message.session}, message.form}, sequences);
  send_answers();
}

void reference_exchange::received(objects_told& message) {
  turn();
  const auto* from = sender_of(message);
  if (from == nullptr)
    return;
  for (auto& told : message.objects)
    take(*from, told);
  ask_owners({});
}

void reference_exchange::take(const incarnation_id& owner, told_object& told) {
  // Who wanted it may have let go meanwhile.
  auto entry = core_->border().find_foreign({.owner = owner, .sequence = told.sequence});
  if (!entry || (told.outcome == told_outcome::stored && pulled_already(*entry.get(), told)))
    return;
  switch (take_told(entry, told)) {
    case told_use::settled:
      stop_if_freed(*entry.get());
      break;
    case told_use::spoilt:
      wants_after_spoilt(*entry.get())[owner].push_back(told.sequence);
      break;
    case told_use::to_pull:
      return start_pull(*entry.get(), told);
  }
  if (told.outcome == told_outcome::stored)
    report(entry->id(), told.source.ticket, news_of(*entry.get()));
}

void reference_exchange::received(const report_copies& message) {
  turn();
  if (const auto* from = sender_of(message))
    for (const auto& copy : message.copies)
      copies_->report(*from, copy);
}

void reference_exchange::received(const objects_unpinned& message) {
  turn();
  const auto* from = sender_of(message);
  if (from == nullptr)
    return;
  for (auto sequence : message.sequences)
    core_->send_to_shard(core_->shard_of(sequence), copy_unpinned{sequence});
}

void reference_exchange::received(const free_objects& message) {
  turn();
  const auto* from = sender_of(message);
  if (from == nullptr)
    return;
  for (auto sequence : message.sequences)
    if (auto entry = core_->border().find_own(sequence))
      free_object(*entry.get());
}

void reference_exchange::foreign_unpinned(const object_id& object) {
  turn();
  // Who is no peer any more looks after its readers itself.
  if (auto to = peers_.find(object.owner); to != peers_.end())
    send(to->second, objects_unpinned{to->second.session, {object.sequence}});
}

// -- effects --------------------------------------------------------------------------------------

void reference_exchange::run() {
  // Carrying one out appends none: what it brings about at the border is for the next turn.
  for (auto& effect : std::exchange(effects_, {}))
    std::visit([this](auto& content) { apply(content); }, effect);
}

void reference_exchange::apply(send_to_peer& effect) {
  auto to = peers_.find(effect.to.node);
  if (to != peers_.end() && to->second.session == effect.to.session)
    std::visit([&](auto& content) { send(to->second, std::move(content)); }, effect.message);
}

void reference_exchange::apply(drop_handles& effect) {
  core_->border().release(effect.handles);
}

void reference_exchange::apply(fail_references& effect) {
  for (auto token : effect.entries) {
    auto& entry = entry_of(token);
    core_->border().forget(entry);
    if (keeper_ != nullptr && keeper_->keeps(entry))
      continue;
    end_waiting(entry, failure_of(entry, effect.reason));
    if (has_pulled(entry))
      stop_pull(entry, nullptr);
  }
}

void reference_exchange::apply(start_grace& effect) {
  start_timer(core_->options().grace_period, [this, number = effect.number] {
    turn();
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

/// A request that nobody answers is CAF's one timer that can be taken back.
void reference_exchange::start_timer(std::chrono::nanoseconds delay, std::function<void()> at_end) {
  auto timer = self_->new_request_id(caf::message_priority::normal).response_id();
  timers_.insert(timer);
  self_->clock().set_request_timeout(self_->clock().now() + delay, self_, timer);
  self_->add_multiplexed_response_handler(
    timer, caf::behavior{[this, timer, at_end = std::move(at_end)](const caf::error&) {
      core_->count_message();
      timers_.erase(timer);
      at_end();
    }});
}

// -- properties -----------------------------------------------------------------------------------

void reference_exchange::add_figures(node_stats& stats) const {
  auto borrows = tables_->borrows().stats();
  stats.open_transits += tables_->transits().stats().open;
  stats.exported_objects += tables_->exports().stats().objects;
  stats.borrowed_objects += borrows.borrows;
  stats.peer_waits +=
    borrows.batches_in_flight + borrows.outer_keeps + borrows.barriers_waiting + teller_->waiting();
  for (const auto* wants : {&wants_, &frees_, &moved_, &spoilt_})
    for (const auto& [owner, sequences] : *wants)
      stats.peer_waits += sequences.size();
  for (const auto& [owner, reports] : reports_)
    stats.peer_waits += reports.size();
  stats.known_copies += copies_->copies();
  stats.peer_timers += timers_.size();
  stats.peer_messages += messages_;
}

void reference_exchange::describe(object_listing& listing) const {
  tables_->transits().for_each([&](const opened_transit& transit) {
    auto* listed = transit.object.owner == core_->incarnation()
                     ? listing.find(transit.object.sequence)
                     : nullptr;
    if (listed != nullptr)
      ++listed->transits;
  });
  tables_->exports().for_each([&](std::uint64_t sequence) {
    if (auto* listed = listing.find(sequence))
      for (const auto& [node, count] : tables_->exports().borrowers_of(sequence))
        listed->borrowers.push_back({node, count});
  });
  // What the tables and the teller keep are no references of the process.
  for (auto& listed : listing.objects) {
    auto kept = core_->border().kept_handles(listed.sequence);
    if (teller_->awaited(listed.sequence))
      ++kept;
    listed.local -= std::min(listed.local, kept);
  }
}

void reference_exchange::check_invariants() const {
  tables_->check_invariants();
  core_->border().check_invariants();
  copies_->check_invariants();
  MOBULA_ASSERT(peers_.size() == nodes_.size());
  for (const auto& [node, peer] : peers_)
    MOBULA_ASSERT(nodes_.at(peer.handle.get()) == node);
}

} // namespace mobula

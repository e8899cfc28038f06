// Tells owners what this node borrows, frees and returns, one batch of each in a turn, and lets go
// of what waits until they have confirmed. Messages and handles are effects: no CAF, no clock.

#include "mobula/actors/protocol/references/borrow_table.hpp"

#include <algorithm>
#include <limits>
#include <unordered_set>
#include <utility>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

// -- sessions -------------------------------------------------------------------------------------

void borrow_table::session_started(const peer_session& peer, reference_effects& effects) {
  MOBULA_ASSERT(peer.node != self_ && peer.session != session_id::none);
  auto& to = *channels_.try_emplace(peer.node).first;
  MOBULA_ASSERT(to.second.session == session_id::none);
  to.second.session = peer.session;
  for (auto& message : std::exchange(to.second.outbox, {}))
    send(to, std::move(message), effects);
}

void borrow_table::session_ended(const peer_session& peer, grace_number grace,
                                 reference_effects& effects) {
  auto ended = channels_.find(peer.node);
  if (ended == channels_.end() || ended->second.session != peer.session)
    return;
  forget_barrier(peer.node);
  end_channel(ended, grace, effects);
}

bool borrow_table::owner_unreachable(const incarnation_id& owner, grace_number grace,
                                     reference_effects& effects) {
  auto waiting = channels_.find(owner);
  if (waiting == channels_.end() || waiting->second.session != session_id::none)
    return false;
  end_channel(waiting, grace, effects);
  return lingering_.contains(grace);
}

void borrow_table::end_channel(channels::iterator ended, grace_number grace,
                               reference_effects& effects) {
  // In the order of their objects: tokens are addresses, and readers are woken in this order.
  std::vector<std::pair<std::pair<std::uint64_t, batch_number>, entry_token>> ordered;
  for (const auto& [entry, borrow] : ended->second.borrows)
    ordered.push_back({{borrow.sequence, borrow.first_batch}, entry});
  std::ranges::sort(ordered);
  fail_references failed{.entries = {}, .reason = reference_failure::owner_died};
  for (const auto& [order, entry] : ordered)
    failed.entries.push_back(entry);
  if (!ended->second.in_flight.empty()) {
    auto& waits = lingering_[grace];
    for (const auto& flight : ended->second.in_flight)
      waits.insert(waits.end(), flight.waits.begin(), flight.waits.end());
  }
  channels_.erase(ended);
  counters_.owner_died += failed.entries.size();
  if (!failed.entries.empty())
    effects.emplace_back(std::move(failed));
}

void borrow_table::grace_over(grace_number grace, reference_effects& effects) {
  if (auto ended = lingering_.extract(grace); !ended.empty())
    resolve(ended.mapped(), effects);
}

// -- a turn ---------------------------------------------------------------------------------------

void borrow_table::traffic(std::span<const arrived_reference> arrived,
                           const reference_traffic& rest, reference_effects& effects) {
  for (const auto& reference : arrived)
    add(channel_to(reference.object.owner, effects), reference.entry,
        {.sequence = reference.object.sequence,
         .sender = reference.sender,
         .transit = reference.transit},
        effects);
  for (const auto& value : rest.read)
    keep(value, effects);
  for (auto* to : touched_)
    close_batch(*to, effects);
  touched_.clear();
  for (const auto& object : rest.freed)
    free(object, effects);
  for (auto* to : touched_)
    close_freed(*to, effects);
  touched_.clear();
  for (const auto& reference : rest.dropped)
    drop(reference, effects);
  for (auto* to : touched_)
    close_returns(*to, effects);
  touched_.clear();
}

borrow_table::channels::value_type& borrow_table::channel_to(const incarnation_id& owner,
                                                             reference_effects& effects) {
  MOBULA_ASSERT(owner != self_);
  auto [found, is_new] = channels_.try_emplace(owner);
  if (is_new)
    effects.emplace_back(connect_to_owner{owner});
  return *found;
}

borrow_table::borrow& borrow_table::add(channels::value_type& to, entry_token entry,
                                        const borrowed_reference& reference,
                                        reference_effects& effects) {
  auto& channel = to.second;
  if (channel.filling.empty()) {
    channel.in_flight.push_back(
      {.number = batch_number{++channel.batches}, .entries = {}, .waits = {}});
    touched_.push_back(&to);
  }
  channel.filling.push_back(reference);
  auto& batch = channel.in_flight.back();
  auto [known, is_new] = channel.borrows.try_emplace(entry);
  auto& borrow = known->second;
  if (is_new) {
    borrow = {.sequence = reference.sequence, .count = 0, .first_batch = batch.number};
    batch.entries.push_back(entry);
  }
  MOBULA_ASSERT(borrow.sequence == reference.sequence);
  MOBULA_ASSERT(borrow.count < std::numeric_limits<std::uint32_t>::max());
  ++borrow.count;
  ++counters_.borrowed;
  if (channel.filling.size() >= limits_.max_batch_references)
    close_batch(to, effects);
  return borrow;
}

void borrow_table::keep(const value_read& read, reference_effects& effects) {
  MOBULA_ASSERT(read.outer != kept_handle::none);
  auto id = wait_id{++wait_count_};
  auto waiting = waits_.emplace(id, wait{.remaining = 0, .goal = read.outer, .number = {}}).first;
  for (const auto& inner : read.inner) {
    auto& to = channel_to(inner.object.owner, effects);
    auto known = to.second.borrows.find(inner.entry);
    // Without a transit there is nothing to end, so a known borrow need not be told of again.
    auto& borrow =
      known != to.second.borrows.end()
        ? known->second
        : add(to, inner.entry, {.sequence = inner.object.sequence, .sender = {}}, effects);
    if (auto* flight = flight_of(to.second, borrow))
      attach(id, flight->waits);
  }
  if (waiting->second.remaining == 0)
    finish(waiting, effects);
}

/// Its owner may be gone, and the value with it.
void borrow_table::free(const object_id& object, reference_effects& effects) {
  auto of = channels_.find(object.owner);
  if (of == channels_.end())
    return;
  auto& freed = of->second.freed;
  if (freed.empty())
    touched_.push_back(&*of);
  freed.push_back(object.sequence);
  if (freed.size() >= limits_.max_batch_references)
    close_freed(*of, effects);
}

void borrow_table::drop(const dropped_reference& dropped, reference_effects& effects) {
  auto of = channels_.find(dropped.object.owner);
  if (of == channels_.end())
    return;
  auto& channel = of->second;
  auto borrow = channel.borrows.find(dropped.entry);
  // Entries that failed were forgotten, and nothing is to be returned to who does not have it.
  if (borrow == channel.borrows.end())
    return;
  MOBULA_ASSERT(borrow->second.sequence == dropped.object.sequence);
  if (channel.returns.empty())
    touched_.push_back(&*of);
  channel.returns.push_back({.sequence = borrow->second.sequence, .count = borrow->second.count});
  counters_.returned += borrow->second.count;
  channel.borrows.erase(borrow);
  if (channel.returns.size() >= limits_.max_batch_references)
    close_returns(*of, effects);
}

void borrow_table::close_batch(channels::value_type& to, reference_effects& effects) {
  if (to.second.filling.empty())
    return;
  ++counters_.batches_sent;
  send(to,
       borrow_references{.batch = to.second.in_flight.back().number,
                         .references = std::exchange(to.second.filling, {})},
       effects);
}

void borrow_table::close_freed(channels::value_type& to, reference_effects& effects) {
  if (!to.second.freed.empty())
    send(to, free_objects{.sequences = std::exchange(to.second.freed, {})}, effects);
}

void borrow_table::close_returns(channels::value_type& to, reference_effects& effects) {
  if (!to.second.returns.empty())
    send(to, return_references{.references = std::exchange(to.second.returns, {})}, effects);
}

void borrow_table::send(channels::value_type& to, reference_message&& message,
                        reference_effects& effects) {
  auto& channel = to.second;
  if (channel.session == session_id::none) {
    channel.outbox.push_back(std::move(message));
    return;
  }
  std::visit([&](auto& sent) { sent.session = channel.session; }, message);
  effects.emplace_back(send_to_peer{{to.first, channel.session}, std::move(message)});
}

// -- confirmations and what waits for them --------------------------------------------------------

void borrow_table::confirmed(const incarnation_id& owner, const references_confirmed& answer,
                             reference_effects& effects) {
  auto from = channels_.find(owner);
  if (from == channels_.end() || from->second.session != answer.session)
    return;
  auto& in_flight = from->second.in_flight;
  if (in_flight.empty() || in_flight.front().number != answer.batch)
    return;
  auto batch = std::move(in_flight.front());
  in_flight.pop_front();
  if (!answer.unknown.empty())
    fail_unknown(from->second, batch, answer, effects);
  resolve(batch.waits, effects);
}

void borrow_table::fail_unknown(channel& from, const flight& batch,
                                const references_confirmed& answer, reference_effects& effects) {
  std::unordered_set<std::uint64_t> unknown{answer.unknown.begin(), answer.unknown.end()};
  fail_references failed{.entries = {}, .reason = reference_failure::object_deleted};
  for (auto entry : batch.entries) {
    auto borrow = from.borrows.find(entry);
    // The entry may be gone, and its token that of a younger one by now.
    if (borrow == from.borrows.end() || borrow->second.first_batch != batch.number
        || !unknown.contains(borrow->second.sequence))
      continue;
    failed.entries.push_back(entry);
    from.borrows.erase(borrow);
  }
  counters_.object_deleted += failed.entries.size();
  if (!failed.entries.empty())
    effects.emplace_back(std::move(failed));
}

void borrow_table::barrier_asked(const incarnation_id& from, const pass_barrier& barrier,
                                 reference_effects& effects) {
  auto asker = channels_.find(from);
  if (asker == channels_.end() || asker->second.session != barrier.session)
    return;
  forget_barrier(from);
  auto id = wait_id{++wait_count_};
  auto waiting = waits_
                   .emplace(id, wait{.remaining = 0,
                                     .goal = peer_session{from, barrier.session},
                                     .number = barrier.number})
                   .first;
  barriers_.emplace(from, id);
  for (auto& [owner, channel] : channels_)
    if (!channel.in_flight.empty())
      attach(id, channel.in_flight.back().waits);
  for (auto& [grace, waits] : lingering_)
    attach(id, waits);
  if (waiting->second.remaining == 0)
    finish(waiting, effects);
}

void borrow_table::forget_barrier(const incarnation_id& asker) {
  if (auto barrier = barriers_.extract(asker); !barrier.empty())
    waits_.erase(barrier.mapped());
}

/// REQUIRES: `waiting` is the youngest wait.
void borrow_table::attach(wait_id waiting, std::vector<wait_id>& to) {
  if (!to.empty() && to.back() == waiting)
    return;
  to.push_back(waiting);
  ++waits_.at(waiting).remaining;
}

void borrow_table::resolve(std::span<const wait_id> waits, reference_effects& effects) {
  for (auto id : waits) {
    auto waiting = waits_.find(id);
    if (waiting != waits_.end() && --waiting->second.remaining == 0)
      finish(waiting, effects);
  }
}

void borrow_table::finish(std::unordered_map<wait_id, wait>::iterator done,
                          reference_effects& effects) {
  if (const auto* outer = std::get_if<kept_handle>(&done->second.goal)) {
    effects.emplace_back(drop_handles{{*outer}});
  } else {
    const auto& asker = std::get<peer_session>(done->second.goal);
    effects.emplace_back(send_to_peer{asker, barrier_passed{asker.session, done->second.number}});
    barriers_.erase(asker.node);
  }
  waits_.erase(done);
}

/// Returns the batch that is to confirm the borrow, or null if it is confirmed.
borrow_table::flight* borrow_table::flight_of(channel& of, const borrow& which) {
  if (of.in_flight.empty() || which.first_batch < of.in_flight.front().number)
    return nullptr;
  auto index = static_cast<std::size_t>(which.first_batch)
               - static_cast<std::size_t>(of.in_flight.front().number);
  MOBULA_ASSERT(index < of.in_flight.size());
  return &of.in_flight[index];
}

void borrow_table::shut_down(reference_effects& effects) {
  drop_handles dropped;
  for (const auto& [id, waiting] : waits_)
    if (const auto* outer = std::get_if<kept_handle>(&waiting.goal))
      dropped.handles.push_back(*outer);
  if (!dropped.handles.empty())
    effects.emplace_back(std::move(dropped));
  channels_.clear();
  waits_.clear();
  barriers_.clear();
  lingering_.clear();
}

// -- properties -----------------------------------------------------------------------------------

bool borrow_table::empty() const noexcept {
  return waits_.empty() && lingering_.empty()
         && std::ranges::all_of(channels_, [](const auto& entry) {
              const auto& channel = entry.second;
              return channel.borrows.empty() && channel.in_flight.empty() && channel.outbox.empty();
            });
}

borrow_stats borrow_table::stats() const noexcept {
  auto result = counters_;
  for (const auto& [owner, channel] : channels_) {
    result.borrows += channel.borrows.size();
    result.batches_in_flight += channel.in_flight.size();
  }
  result.batches_in_flight += lingering_.size();
  result.barriers_waiting = barriers_.size();
  result.outer_keeps = waits_.size() - barriers_.size();
  return result;
}

void borrow_table::check_invariants() const {
  std::unordered_map<wait_id, std::size_t> remaining;
  for (const auto& [owner, channel] : channels_) {
    MOBULA_ASSERT(channel.filling.empty() && channel.freed.empty() && channel.returns.empty());
    MOBULA_ASSERT(channel.session == session_id::none || channel.outbox.empty());
    auto number = channel.batches - channel.in_flight.size();
    for (const auto& flight : channel.in_flight) {
      MOBULA_ASSERT(flight.number == batch_number{++number});
      for (auto id : flight.waits)
        ++remaining[id];
    }
    for (const auto& [entry, borrow] : channel.borrows) {
      MOBULA_ASSERT(borrow.count > 0 && borrow.sequence != 0);
      MOBULA_ASSERT(borrow.first_batch <= batch_number{channel.batches});
    }
  }
  for (const auto& [grace, waits] : lingering_)
    for (auto id : waits)
      ++remaining[id];
  for (const auto& [id, waiting] : waits_) {
    MOBULA_ASSERT(waiting.remaining > 0 && remaining[id] == waiting.remaining);
    if (const auto* asker = std::get_if<peer_session>(&waiting.goal)) {
      auto barrier = barriers_.find(asker->node);
      MOBULA_ASSERT(barrier != barriers_.end() && barrier->second == id);
    }
  }
  MOBULA_ASSERT(touched_.empty());
}

} // namespace mobula

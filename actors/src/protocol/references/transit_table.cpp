// Keeps objects alive while references to them travel: each transit ends with the owner's word, or
// when every node that may have received it has passed a barrier or is given up.

#include "mobula/actors/protocol/references/transit_table.hpp"

#include <algorithm>
#include <utility>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

// -- sessions -------------------------------------------------------------------------------------

void transit_table::session_started(const peer_session& peer) {
  MOBULA_ASSERT(peer.node != self_);
  auto inserted = sessions_.emplace(peer.node, peer.session).second;
  MOBULA_ASSERT(inserted);
}

void transit_table::session_ended(const peer_session& peer, grace_number grace) {
  auto session = sessions_.find(peer.node);
  if (session == sessions_.end() || session->second != peer.session)
    return;
  sessions_.erase(session);
  graces_.insert(grace);
  if (!round_)
    return;
  auto waiting = round_->sessions.find(peer.node);
  if (waiting == round_->sessions.end() || waiting->second != peer.session)
    return;
  round_->sessions.erase(waiting);
  round_->graces.insert(grace);
}

void transit_table::grace_over(grace_number grace, reference_effects& effects) {
  graces_.erase(grace);
  if (round_ && round_->graces.erase(grace) > 0)
    settle_round(effects);
}

// -- transits -------------------------------------------------------------------------------------

void transit_table::opened(std::span<const opened_transit> transits, reference_effects& effects) {
  for (const auto& opened : transits) {
    MOBULA_ASSERT(opened.handle != kept_handle::none);
    auto inserted = transits_
                      .emplace(opened.number, transit{.object = opened.object,
                                                      .handle = opened.handle,
                                                      .mark = lease_mark{++marks_}})
                      .second;
    MOBULA_ASSERT(inserted);
  }
  counters_.opened += transits.size();
  run_lease(effects);
}

void transit_table::ended(const peer_session& owner, std::span<const ended_transit> transits,
                          reference_effects& effects) {
  auto session = sessions_.find(owner.node);
  if (session != sessions_.end() && session->second == owner.session)
    end_of(owner.node, transits, effects);
}

void transit_table::ended_here(std::span<const ended_transit> transits,
                               reference_effects& effects) {
  end_of(self_, transits, effects);
}

void transit_table::canceled(std::span<const transit_number> transits, reference_effects& effects) {
  end(transits, counters_.canceled, effects);
}

void transit_table::end_of(const incarnation_id& owner, std::span<const ended_transit> ended,
                           reference_effects& effects) {
  std::vector<transit_number> numbers;
  for (const auto& [sequence, number] : ended) {
    auto open = transits_.find(number);
    if (open != transits_.end()
        && open->second.object == object_id{.owner = owner, .sequence = sequence})
      numbers.push_back(number);
  }
  end(numbers, counters_.ended_by_owner, effects);
}

void transit_table::end(std::span<const transit_number> transits, std::uint64_t& counter,
                        reference_effects& effects) {
  drop_handles dropped;
  for (auto number : transits) {
    auto open = transits_.find(number);
    if (open == transits_.end())
      continue;
    dropped.handles.push_back(open->second.handle);
    transits_.erase(open);
  }
  counter += dropped.handles.size();
  if (!dropped.handles.empty())
    effects.emplace_back(std::move(dropped));
}

// -- leases and rounds ----------------------------------------------------------------------------

void transit_table::run_lease(reference_effects& effects) {
  if (running_ || passed_ == lease_mark{marks_} || transits_.empty())
    return;
  running_ = lease_mark{marks_};
  effects.emplace_back(start_lease{*running_});
}

void transit_table::lease_passed(lease_mark mark, reference_effects& effects) {
  if (running_ != mark)
    return;
  running_.reset();
  passed_ = mark;
  run_lease(effects);
  if (!round_)
    start_round(effects);
}

void transit_table::start_round(reference_effects& effects) {
  if (!any_reached(passed_))
    return;
  round_ = round{.reach = passed_,
                 .number = barrier_number{++barriers_},
                 .sessions = sessions_,
                 .graces = graces_};
  for (const auto& [node, session] : sessions_)
    effects.emplace_back(send_to_peer{{node, session}, pass_barrier{session, round_->number}});
  counters_.barriers_sent += sessions_.size();
  settle_round(effects);
}

void transit_table::barrier_passed(const peer_session& peer, barrier_number number,
                                   reference_effects& effects) {
  if (!round_ || round_->number != number)
    return;
  auto waiting = round_->sessions.find(peer.node);
  if (waiting == round_->sessions.end() || waiting->second != peer.session)
    return;
  round_->sessions.erase(waiting);
  settle_round(effects);
}

void transit_table::settle_round(reference_effects& effects) {
  if (!round_->sessions.empty() || !round_->graces.empty())
    return;
  auto reach = round_->reach;
  round_.reset();
  end_reached(reach, effects);
  // Does not come back here for long: what this round reached is gone, so the next one starts only
  // for a lease that passed meanwhile.
  start_round(effects);
}

void transit_table::end_reached(lease_mark reach, reference_effects& effects) {
  std::vector<transit_number> numbers;
  for (const auto& [number, transit] : transits_)
    if (transit.mark <= reach)
      numbers.push_back(number);
  std::ranges::sort(numbers);
  end(numbers, counters_.ended_by_barrier, effects);
}

bool transit_table::any_reached(lease_mark reach) const noexcept {
  return std::ranges::any_of(transits_,
                             [&](const auto& entry) { return entry.second.mark <= reach; });
}

void transit_table::shut_down(reference_effects& effects) {
  end_reached(lease_mark{marks_}, effects);
  sessions_.clear();
  graces_.clear();
  running_.reset();
  round_.reset();
}

// -- properties -----------------------------------------------------------------------------------

transit_stats transit_table::stats() const noexcept {
  auto result = counters_;
  result.open = transits_.size();
  return result;
}

void transit_table::check_invariants() const {
  for (const auto& [number, transit] : transits_) {
    MOBULA_ASSERT(number != transit_number::none);
    MOBULA_ASSERT(transit.handle != kept_handle::none);
    MOBULA_ASSERT(transit.mark <= lease_mark{marks_});
    // Whatever is open has a lease that runs, or one that passed and a round.
    if (transit.mark > passed_)
      MOBULA_ASSERT(running_.has_value());
    else
      MOBULA_ASSERT(round_.has_value());
  }
  if (round_) {
    MOBULA_ASSERT(!round_->sessions.empty() || !round_->graces.empty());
    MOBULA_ASSERT(round_->reach <= passed_);
    for (const auto& [node, session] : round_->sessions) {
      auto current = sessions_.find(node);
      MOBULA_ASSERT(current != sessions_.end() && current->second == session);
    }
    for (auto grace : round_->graces)
      MOBULA_ASSERT(graces_.contains(grace));
  }
  MOBULA_ASSERT(counters_.opened
                == transits_.size() + counters_.canceled + counters_.ended_by_owner
                     + counters_.ended_by_barrier);
}

} // namespace mobula

// Counts which nodes hold which of this node's objects, occurrence by occurrence. What a lost node
// held stays for a grace period, since references that it sent on may still arrive.

#include "mobula/actors/protocol/references/export_table.hpp"

#include <algorithm>
#include <limits>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

/// In one message: a megabyte of them.
constexpr std::size_t max_transits = 65'536;

} // namespace

/// Transits by who sent them, so that each sender gets one message.
struct export_table::senders {
  std::map<incarnation_id, std::vector<ended_transit>> transits;

  void add(const incarnation_id& sender, const ended_transit& ended) {
    if (ended.transit != transit_number::none)
      transits[sender].push_back(ended);
  }
};

// -- sessions -------------------------------------------------------------------------------------

void export_table::session_started(const peer_session& started) {
  MOBULA_ASSERT(started.node != self_);
  auto inserted = peers_.emplace(started.node, peer{.session = started.session, .held = {}}).second;
  MOBULA_ASSERT(inserted);
}

void export_table::session_ended(const peer_session& ended, grace_number grace) {
  auto* gone = find(ended.node, ended.session);
  if (gone == nullptr)
    return;
  if (!gone->held.empty())
    ghosts_.emplace(grace, ghost{ended.node, std::move(gone->held)});
  peers_.erase(ended.node);
}

void export_table::grace_over(grace_number grace, reference_effects& effects) {
  auto over = ghosts_.extract(grace);
  if (over.empty())
    return;
  drop_handles dropped;
  for (const auto& [sequence, count] : over.mapped().held)
    let_go(sequence, dropped);
  if (!dropped.handles.empty())
    effects.emplace_back(std::move(dropped));
}

// -- references -----------------------------------------------------------------------------------

void export_table::borrowed(const incarnation_id& from, const borrow_references& batch,
                            std::span<const kept_handle> found, reference_effects& effects) {
  MOBULA_ASSERT(found.size() == batch.references.size());
  drop_handles spare;
  auto* borrower = find(from, batch.session);
  if (borrower == nullptr) {
    for (auto handle : found)
      if (handle != kept_handle::none)
        spare.handles.push_back(handle);
  } else {
    references_confirmed answer{.session = batch.session, .batch = batch.batch, .unknown = {}};
    senders ended;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const auto& reference = batch.references[i];
      if (!hold(*borrower, reference.sequence, found[i], spare))
        answer.unknown.push_back(reference.sequence);
      if (reference.sender != self_)
        ended.add(reference.sender, {reference.sequence, reference.transit});
    }
    counters_.borrowed += found.size() - answer.unknown.size();
    counters_.unknown += answer.unknown.size();
    effects.emplace_back(send_to_peer{{from, batch.session}, std::move(answer)});
    tell(std::move(ended), effects);
  }
  if (!spare.handles.empty())
    effects.emplace_back(std::move(spare));
}

/// Returns whether the object is known. Surplus handles go to `spare`.
bool export_table::hold(peer& borrower, std::uint64_t sequence, kept_handle found,
                        drop_handles& spare) {
  auto known = objects_.find(sequence);
  if (known == objects_.end()) {
    if (found == kept_handle::none)
      return false;
    known = objects_.emplace(sequence, object{.handle = found, .holders = 0}).first;
  } else if (found != kept_handle::none) {
    spare.handles.push_back(found);
  }
  auto& count = borrower.held[sequence];
  if (count == 0)
    ++known->second.holders;
  // Nobody has so many references: what is beyond the count is never given back.
  if (count == std::numeric_limits<std::uint32_t>::max())
    ++counters_.strange;
  else
    ++count;
  return true;
}

void export_table::returned(const incarnation_id& from, const return_references& batch,
                            reference_effects& effects) {
  auto* borrower = find(from, batch.session);
  if (borrower == nullptr)
    return;
  drop_handles dropped;
  for (const auto& reference : batch.references) {
    auto held = borrower->held.find(reference.sequence);
    // Nothing was counted for an object that was unknown when it was borrowed.
    if (held == borrower->held.end())
      continue;
    if (reference.count > held->second)
      ++counters_.strange;
    auto count = std::min(reference.count, held->second);
    counters_.returned += count;
    held->second -= count;
    if (held->second > 0)
      continue;
    borrower->held.erase(held);
    let_go(reference.sequence, dropped);
  }
  if (!dropped.handles.empty())
    effects.emplace_back(std::move(dropped));
}

void export_table::came_home(std::span<const arrived_reference> arrived,
                             reference_effects& effects) {
  senders ended;
  for (const auto& reference : arrived) {
    MOBULA_ASSERT(reference.object.owner == self_);
    if (reference.sender != self_)
      ended.add(reference.sender, {reference.object.sequence, reference.transit});
  }
  counters_.came_home += arrived.size();
  tell(std::move(ended), effects);
}

void export_table::let_go(std::uint64_t sequence, drop_handles& dropped) {
  auto held = objects_.find(sequence);
  MOBULA_ASSERT(held != objects_.end() && held->second.holders > 0);
  if (--held->second.holders > 0)
    return;
  dropped.handles.push_back(held->second.handle);
  objects_.erase(held);
}

/// A sender without a session is not told: its transits end by its leases.
void export_table::tell(senders&& ended, reference_effects& effects) {
  for (const auto& [sender, transits] : ended.transits) {
    auto to = peers_.find(sender);
    if (to == peers_.end())
      continue;
    auto session = to->second.session;
    for (std::span rest{transits}; !rest.empty();) {
      auto part = rest.first(std::min(rest.size(), max_transits));
      rest = rest.subspan(part.size());
      effects.emplace_back(
        send_to_peer{{sender, session}, transits_ended{session, {part.begin(), part.end()}}});
    }
  }
}

void export_table::shut_down(reference_effects& effects) {
  drop_handles dropped;
  for (const auto& [sequence, object] : objects_)
    dropped.handles.push_back(object.handle);
  if (!dropped.handles.empty())
    effects.emplace_back(std::move(dropped));
  objects_.clear();
  peers_.clear();
  ghosts_.clear();
}

export_table::peer* export_table::find(const incarnation_id& node, session_id session) {
  auto found = peers_.find(node);
  return found != peers_.end() && found->second.session == session ? &found->second : nullptr;
}

// -- properties -----------------------------------------------------------------------------------

export_stats export_table::stats() const noexcept {
  auto result = counters_;
  result.objects = objects_.size();
  for (const auto& [node, peer] : peers_)
    result.borrows += peer.held.size();
  for (const auto& [grace, lost] : ghosts_)
    result.ghosts += lost.held.size();
  return result;
}

std::vector<std::pair<incarnation_id, std::uint32_t>>
export_table::borrowers_of(std::uint64_t sequence) const {
  std::vector<std::pair<incarnation_id, std::uint32_t>> result;
  for (const auto& [node, peer] : peers_)
    if (auto held = peer.held.find(sequence); held != peer.held.end())
      result.emplace_back(node, held->second);
  return result;
}

std::vector<export_table::lost_holder> export_table::lost_holders_of(std::uint64_t sequence) const {
  std::vector<lost_holder> result;
  for (const auto& [grace, lost] : ghosts_)
    if (auto held = lost.held.find(sequence); held != lost.held.end())
      result.push_back({lost.node, grace, held->second});
  return result;
}

void export_table::check_invariants() const {
  std::unordered_map<std::uint64_t, std::uint32_t> holders;
  auto count = [&](const holdings& held) {
    for (const auto& [sequence, times] : held) {
      MOBULA_ASSERT(times > 0);
      ++holders[sequence];
    }
  };
  for (const auto& [node, peer] : peers_)
    count(peer.held);
  for (const auto& [grace, lost] : ghosts_)
    count(lost.held);
  MOBULA_ASSERT(holders.size() == objects_.size());
  for (const auto& [sequence, object] : objects_) {
    MOBULA_ASSERT(object.handle != kept_handle::none);
    MOBULA_ASSERT(object.holders > 0 && holders[sequence] == object.holders);
  }
}

} // namespace mobula

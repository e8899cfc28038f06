// How a store makes space: fairness among those who wait, the order of measures, and stalls.

#include <algorithm>
#include <utility>

#include "mobula/store/shard/store_table.hpp"

namespace mobula {

namespace {

/// While objects move out, credit may be this part of what is free. It counts as used, so that much
/// more than needed moves out, at most; without any, each creator would have to wait for an answer.
constexpr std::size_t relief_credit_share = 8;

std::size_t minus_at_least_zero(std::size_t from, std::size_t bytes) {
  return from - std::min(from, bytes);
}

} // namespace

/// Every event ends here: the table is settled when nothing more can be granted or set going.
void store_table::settle(store_effects& effects) {
  grant_waiting(effects);
  refuse_overdue(effects);
  if (places_.queue().empty())
    pieces_.nobody_waits();
  relieve(effects);
  watch_stall(effects);
  tell_state(effects);
}

void store_table::grant_waiting(store_effects& effects) {
  while (auto* oldest = places_.queue().front()) {
    if (!fits(oldest->size_bytes))
      return let_overtake(*oldest, effects);
    grant(*oldest, effects);
  }
}

void store_table::let_overtake(object& oldest, store_effects& effects) {
  auto* next = oldest.next;
  for (std::size_t seen = 0; next != nullptr && seen < config_.overtaking_window; ++seen) {
    auto& younger = *std::exchange(next, next->next);
    auto allowed = oldest.size_bytes - oldest.overtaken_bytes;
    if (!fits(younger.size_bytes) || younger.size_bytes > allowed)
      continue;
    oldest.overtaken_bytes += younger.size_bytes;
    ++counters_.overtakings;
    grant(younger, effects);
    younger.overtook = oldest.arrival;
  }
}

std::size_t store_table::wanted_free_bytes() {
  auto used = used_bytes();
  // A request that waits for credit to come back may not need anything else.
  auto pressed = used > threshold_bytes_ || (!places_.queue().empty() && !recalling_);
  if ((pressed && !relieving_) || freed_in_spell_bytes_ >= config_.capacity_bytes) {
    ++spell_;
    freed_in_spell_bytes_ = 0;
  }
  relieving_ = pressed || (relieving_ && used > low_water_bytes_);
  if (!relieving_)
    return 0;
  auto waiting = places_.tally(place::waiting).bytes + places_.tally(place::restore_waiting).bytes;
  return std::max(std::min(waiting, config_.capacity_bytes),
                  config_.capacity_bytes - low_water_bytes_);
}

/// Returns how much more than what is free should become so.
std::size_t store_table::missing_bytes() {
  auto missing = minus_at_least_zero(wanted_free_bytes(), free_bytes());
  // The bytes are there but lie apart: only more free memory can join them.
  if (auto* oldest = places_.queue().front();
      oldest != nullptr && pieces_.has_none(oldest->size_bytes))
    missing = std::max(missing, oldest->size_bytes);
  return missing;
}

void store_table::relieve(store_effects& effects) {
  // Nobody takes credit who waits for space.
  if (!places_.queue().empty())
    recall(effects);
  auto missing = missing_bytes();
  if (missing == 0)
    return;
  if (lent_bytes_ > credit_in_relief())
    recall(effects);
  auto coming = places_.tally(place::asked).bytes + places_.tally(place::releasing).bytes
                + places_.tally(place::spilling).bytes + (recalling_ ? lent_bytes_ : 0);
  missing = minus_at_least_zero(missing, coming);
  while (missing > 0 && !places_.evictable().empty()) {
    auto& entry = *places_.evictable().front();
    missing = minus_at_least_zero(missing, entry.size_bytes);
    ask(entry, question::give_space, effects);
  }
  while (missing > 0 && !places_.spillable().empty() && disk_.takes_more()) {
    auto& entry = *places_.spillable().front();
    if (disk_.is_beyond_limit(entry.size_bytes)) {
      places_.set_aside(entry, disk_.round());
      continue;
    }
    missing = minus_at_least_zero(missing, entry.size_bytes);
    ask(entry, question::is_idle, effects);
  }
}

/// Asks for the credit that may idle, if it was not asked for since it was lent.
void store_table::recall(store_effects& effects) {
  if (!std::exchange(credit_may_idle_, false))
    return;
  recalling_ = true;
  effects.push_back({first_shard, recall_credit{}});
}

std::size_t store_table::lendable_bytes() const noexcept {
  if (!places_.queue().empty() || recalling_ || shutting_down_)
    return 0;
  if (relieving_)
    return minus_at_least_zero(credit_in_relief(), lent_bytes_);
  // Out of what is below the threshold: lending never causes pressure.
  return minus_at_least_zero(threshold_bytes_, used_bytes());
}

/// Returns how much credit may be out while objects move out.
std::size_t store_table::credit_in_relief() const noexcept {
  auto taken = used_bytes() - lent_bytes_;
  return (config_.capacity_bytes - taken) / relief_credit_share;
}

void store_table::ask(object& entry, question what, store_effects& effects) {
  move(entry, place::asked);
  entry.asked = what;
  entry.unpin_hint = false;
  auto known_use = entry.spared == spell_ ? std::nullopt : std::optional{entry.known_use};
  if (what == question::give_space)
    tell(effects, entry.id, try_reclaim{entry.id, reclaim_reason::space, known_use});
  else
    tell(effects, entry.id, check_idle{entry.id, known_use});
  advance_stamp();
}

void store_table::ask_release(object& entry, store_effects& effects) {
  move(entry, place::releasing);
  entry.unpin_hint = false;
  tell(effects, entry.id, try_reclaim{entry.id, reclaim_reason::release, std::nullopt});
}

void store_table::advance_stamp() noexcept {
  auto next = static_cast<std::uint32_t>(stamp_) + 1;
  // Zero is kept for "not used since it was sealed".
  stamp_ = use_stamp{next == 0 ? 1 : next};
}

// -- stalls -------------------------------------------------------------------------

/// Returns whether the store itself is at work: what ends makes space, or shows that it cannot.
bool store_table::is_moving() const noexcept {
  return places_.tally(place::spilling).objects > 0 || places_.tally(place::restoring).objects > 0;
}

bool store_table::is_asking() const noexcept {
  return recalling_ || places_.tally(place::asked).objects > 0
         || places_.tally(place::releasing).objects > 0;
}

stall_cause store_table::cause_of_stall() const noexcept {
  if (!places_.aside().empty() || (!places_.spillable().empty() && !disk_.takes_more()))
    return stall_cause::disk;
  auto creating = places_.tally(place::unsealed).objects > 0 || lent_bytes_ > 0;
  return creating ? stall_cause::creators : stall_cause::readers;
}

void store_table::watch_stall(store_effects& effects) {
  if (places_.queue().empty())
    return end_stall(effects);
  if (is_moving() || is_asking())
    return;
  MOBULA_ASSERT(!fits(places_.queue().front()->size_bytes) && places_.evictable().empty());
  MOBULA_ASSERT(places_.spillable().empty() || !disk_.takes_more());
  auto cause = cause_of_stall();
  if (!stall_) {
    stall_ = stall{stall_number{++stalls_}, arrivals_};
    ++counters_.stalls;
    effects.push_back({first_shard, report_stall{stall_->number, cause}});
  }
  if (cause == stall_cause::readers && !std::exchange(stall_->readers_checked, true))
    for (std::uint32_t shard = 0; shard < config_.shards; ++shard)
      effects.push_back({shard, check_readers{}});
}

/// Something made space, or may: the full-store time begins anew.
void store_table::end_stall(store_effects& effects) {
  if (!stall_)
    return;
  effects.push_back({first_shard, report_stall_over{stall_->number}});
  stall_.reset();
}

/// What came later may overtake those who wait, which is no progress of theirs.
void store_table::creator_is_done(const object& entry, store_effects& effects) {
  if (stall_ && entry.arrival <= stall_->last_arrival)
    end_stall(effects);
}

void store_table::give_up(stall_number number, store_effects& effects) {
  if (!stall_ || stall_->number != number)
    return;
  stall_->overdue = true;
  settle(effects);
}

void store_table::refuse_overdue(store_effects& effects) {
  if (!stall_ || !stall_->overdue || is_moving())
    return;
  auto last_arrival = stall_->last_arrival;
  auto error = cause_of_stall() == stall_cause::disk ? refusal::out_of_disk : refusal::store_full;
  stall_.reset();
  while (auto* oldest = places_.queue().front()) {
    if (oldest->arrival > last_arrival)
      break;
    refuse_waiting(*oldest, error, effects);
    grant_waiting(effects);
  }
}

void store_table::tell_state(store_effects& effects) {
  auto level = stall_ && !is_moving()                    ? pressure_level::stalled
               : !places_.queue().empty() && !recalling_ ? pressure_level::waiting
               : relieving_                              ? pressure_level::relieving
                                                         : pressure_level::calm;
  if (std::exchange(level_, level) != level)
    effects.push_back({first_shard, report_pressure{level}});
  if (shutting_down_ && !drained_ && objects_.empty() && lent_bytes_ == 0 && !recalling_) {
    drained_ = true;
    effects.push_back({first_shard, report_store_drained{}});
  }
}

} // namespace mobula

// How a store makes space: how much is missing, and in which order it is asked for.

#include "mobula/store/shard/store_relief.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace mobula {

namespace {

/// While objects move out, credit may be this part of what is free. It counts as used, so that much
/// more than needed moves out, at most; without any, each creator would have to wait for an answer.
constexpr std::size_t relief_credit_share = 8;

std::size_t minus_at_least_zero(std::size_t from, std::size_t bytes) {
  return from - std::min(from, bytes);
}

std::size_t share_of(std::size_t capacity_bytes, double share) {
  return static_cast<std::size_t>(static_cast<double>(capacity_bytes) * share);
}

} // namespace

store_relief::store_relief(const store_config& config, store_objects& objects,
                           const disk_readiness& disk, const heap_pieces& pieces,
                           const store_requests& requests)
  : capacity_bytes_(config.capacity_bytes),
    threshold_bytes_(share_of(config.capacity_bytes, config.spill_threshold)),
    low_water_bytes_(share_of(config.capacity_bytes, config.low_water)), objects_(objects),
    disk_(disk), pieces_(pieces), requests_(requests) {
  // nop
}

// -- space ------------------------------------------------------------------------

std::size_t store_relief::wanted_free_bytes() {
  const auto& places = objects_.places();
  auto used = objects_.used_bytes();
  // A request that waits for credit to come back may not need anything else.
  auto pressed = used > threshold_bytes_ || (!places.queue().empty() && !recalling_);
  if ((pressed && !relieving_) || freed_in_spell_bytes_ >= capacity_bytes_) {
    ++spell_;
    freed_in_spell_bytes_ = 0;
  }
  relieving_ = pressed || (relieving_ && used > low_water_bytes_);
  if (!relieving_)
    return 0;
  auto waiting =
    places.tally(store_place::waiting).bytes + places.tally(store_place::restore_waiting).bytes;
  return std::max(std::min(waiting, capacity_bytes_), capacity_bytes_ - low_water_bytes_);
}

/// Returns how much more than what is free should become so.
std::size_t store_relief::missing_bytes() {
  auto missing = minus_at_least_zero(wanted_free_bytes(), objects_.free_bytes());
  // The bytes are there but lie apart: only more free memory can join them.
  if (auto* oldest = objects_.places().queue().front();
      oldest != nullptr && pieces_.has_none(oldest->size_bytes))
    missing = std::max(missing, oldest->size_bytes);
  return missing;
}

void store_relief::relieve(store_effects& effects) {
  const auto& places = objects_.places();
  // Nobody takes credit who waits for space.
  if (!places.queue().empty())
    recall(effects);
  auto missing = missing_bytes();
  if (missing == 0)
    return;
  if (objects_.lent_bytes() > credit_in_relief())
    recall(effects);
  auto coming = places.tally(store_place::asked).bytes + places.tally(store_place::releasing).bytes
                + places.tally(store_place::spilling).bytes
                + (recalling_ ? objects_.lent_bytes() : 0);
  missing = minus_at_least_zero(missing, coming);
  while (missing > 0 && !places.evictable().empty()) {
    auto& entry = *places.evictable().front();
    missing = minus_at_least_zero(missing, entry.size_bytes);
    ask(entry, pin_question::give_space, effects);
  }
  while (missing > 0 && !places.spillable().empty() && disk_.takes_more()) {
    auto& entry = *places.spillable().front();
    if (disk_.is_beyond_limit(entry.size_bytes)) {
      objects_.set_aside(entry, disk_.round());
      continue;
    }
    missing = minus_at_least_zero(missing, entry.size_bytes);
    ask(entry, pin_question::is_idle, effects);
  }
}

// -- credit -----------------------------------------------------------------------

void store_relief::recall(store_effects& effects) {
  if (!std::exchange(credit_may_idle_, false))
    return;
  recalling_ = true;
  store_requests::tell_first(effects, recall_credit{});
}

std::size_t store_relief::lendable_bytes() const noexcept {
  if (!objects_.places().queue().empty() || recalling_)
    return 0;
  if (relieving_)
    return minus_at_least_zero(credit_in_relief(), objects_.lent_bytes());
  // Out of what is below the threshold: lending never causes pressure.
  return minus_at_least_zero(threshold_bytes_, objects_.used_bytes());
}

/// Returns how much credit may be out while objects move out.
std::size_t store_relief::credit_in_relief() const noexcept {
  auto taken = objects_.used_bytes() - objects_.lent_bytes();
  return (capacity_bytes_ - taken) / relief_credit_share;
}

// -- questions --------------------------------------------------------------------

void store_relief::ask(store_object& entry, pin_question what, store_effects& effects) {
  objects_.move(entry, store_place::asked);
  entry.asked = what;
  entry.unpin_hint = false;
  auto known_use = entry.spared == spell_ ? std::nullopt : std::optional{entry.known_use};
  if (what == pin_question::give_space)
    requests_.tell(effects, entry.id, try_reclaim{entry.id, reclaim_reason::space, known_use});
  else
    requests_.tell(effects, entry.id, check_idle{entry.id, known_use});
  advance_stamp();
}

void store_relief::ask_release(store_object& entry, store_effects& effects) {
  objects_.move(entry, store_place::releasing);
  entry.unpin_hint = false;
  requests_.tell(effects, entry.id, try_reclaim{entry.id, reclaim_reason::release, std::nullopt});
}

bool store_relief::is_asking() const noexcept {
  const auto& places = objects_.places();
  return recalling_ || places.tally(store_place::asked).objects > 0
         || places.tally(store_place::releasing).objects > 0;
}

void store_relief::advance_stamp() noexcept {
  auto next = static_cast<std::uint32_t>(stamp_) + 1;
  // Zero is kept for "not used since it was sealed".
  stamp_ = use_stamp{next == 0 ? 1 : next};
}

} // namespace mobula

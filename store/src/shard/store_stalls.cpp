// When a store cannot help those who wait, and how long they wait for others to help.

#include "mobula/store/shard/store_stalls.hpp"

#include <utility>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

/// Returns whether the store itself is at work: what ends makes space, or shows that it cannot.
bool store_stalls::is_moving() const noexcept {
  const auto& places = objects_.places();
  return places.tally(store_place::spilling).objects > 0
         || places.tally(store_place::restoring).objects > 0;
}

stall_cause store_stalls::cause() const noexcept {
  const auto& places = objects_.places();
  if (!places.aside().empty() || (!places.spillable().empty() && !disk_.takes_more()))
    return stall_cause::disk;
  auto creating = places.tally(store_place::unsealed).objects > 0 || objects_.lent_bytes() > 0;
  return creating ? stall_cause::creators : stall_cause::readers;
}

void store_stalls::watch(store_effects& effects) {
  const auto& places = objects_.places();
  if (queue_.empty())
    return end(effects);
  if (is_moving() || relief_.is_asking())
    return;
  MOBULA_ASSERT(!queue_.fits(places.queue().front()->size_bytes) && places.evictable().empty());
  MOBULA_ASSERT(places.spillable().empty() || !disk_.takes_more());
  auto why = cause();
  if (!stall_) {
    stall_ = stall{stall_number{++stalls_}, objects_.arrivals()};
    ++counters_.stalls;
    store_requests::tell_first(effects, report_stall{stall_->number, why});
  }
  if (why == stall_cause::readers && !std::exchange(stall_->readers_checked, true))
    for (std::uint32_t shard = 0; shard < shards_; ++shard)
      effects.push_back({shard, check_readers{}});
}

void store_stalls::end(store_effects& effects) {
  if (!stall_)
    return;
  store_requests::tell_first(effects, report_stall_over{stall_->number});
  stall_.reset();
}

void store_stalls::creator_is_done(const store_object& entry, store_effects& effects) {
  if (stall_ && entry.arrival <= stall_->last_arrival)
    end(effects);
}

bool store_stalls::give_up(stall_number number) noexcept {
  if (!stall_ || stall_->number != number)
    return false;
  stall_->overdue = true;
  return true;
}

void store_stalls::refuse_overdue(store_effects& effects) {
  if (!stall_ || !stall_->overdue || is_moving())
    return;
  auto last_arrival = stall_->last_arrival;
  auto error = cause() == stall_cause::disk ? refusal::out_of_disk : refusal::store_full;
  stall_.reset();
  while (auto* oldest = objects_.places().queue().front()) {
    if (oldest->arrival > last_arrival)
      break;
    queue_.refuse(*oldest, error, effects);
    queue_.grant_waiting(effects);
  }
}

void store_stalls::check_invariants() const {
  MOBULA_ASSERT(!stall_ || !queue_.empty());
  MOBULA_ASSERT(stall_ || queue_.empty() || is_moving() || relief_.is_asking());
  MOBULA_ASSERT(!stall_ || !stall_->overdue || is_moving());
}

} // namespace mobula

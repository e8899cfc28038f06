// The order of measures for the process heap, and the ends of those who wait for it.

#include "mobula/store/heap/heap_relief.hpp"

#include <algorithm>
#include <utility>

namespace mobula {

heap_relief::heap_relief(const heap_relief_config& config)
  : config_(config), threshold_bytes_(static_cast<std::uint64_t>(
                       static_cast<double>(config.limit_bytes) * config.threshold)),
    low_water_bytes_(
      static_cast<std::uint64_t>(static_cast<double>(config.limit_bytes) * config.low_water)) {
}

void heap_relief::looked(std::uint64_t used_bytes, heap_effects& effects) {
  used_bytes_ = used_bytes;
  expect_more();
  settle(effects);
}

void heap_relief::chosen(const object_tally& victims, heap_effects& effects) {
  MOBULA_ASSERT(choosing_);
  choosing_ = false;
  leaving_ += victims;
  auto exhausted = victims.bytes < asked_bytes_ && victims.objects < asked_objects_;
  decoded_exhausted_ = exhausted;
  if (asked_among_ == heap_choice::all) {
    exhausted_ = exhausted;
    if (victims.objects > 0)
      tried_for_ = waiting_;
  }
  settle(effects);
}

void heap_relief::leave_ended(std::size_t bytes, heap_leave_end end, std::uint64_t used_bytes,
                              heap_effects& effects) {
  leaving_.remove(bytes);
  used_bytes_ = used_bytes;
  if (end == heap_leave_end::refused) {
    refused_ = true;
    tried_in_vain_ = true;
    may_insist_ = waiting_ > tried_for_;
  } else {
    expect_more();
  }
  settle(effects);
}

void heap_relief::await_space(std::size_t bytes, std::uint64_t used_bytes, heap_effects& effects) {
  used_bytes_ = used_bytes;
  least_wanted_ = waiting_ == 0 ? bytes : std::min(least_wanted_, bytes);
  ++waiting_;
  expect_more();
  may_insist_ = true;
  settle(effects);
}

void heap_relief::store_has_space(std::uint64_t used_bytes, heap_effects& effects) {
  used_bytes_ = used_bytes;
  refused_ = false;
  tried_in_vain_ = false;
  expect_more();
  settle(effects);
}

void heap_relief::give_up(stall_number number, heap_effects& effects) {
  if (!stall_ || *stall_ != number)
    return;
  refuse_first(waiting_, effects);
  settle(effects);
}

/// Every event ends here.
void heap_relief::settle(heap_effects& effects) {
  serve_waiting(effects);
  refuse_tried(effects);
  relieving_ = used_bytes_ > threshold_bytes_ || waiting_ > 0
               || (relieving_ && used_bytes_ > low_water_bytes_);
  choose(effects);
  watch_stall(effects);
}

void heap_relief::serve_waiting(heap_effects& effects) {
  if (waiting_ == 0 || used_bytes_ + least_wanted_ > config_.limit_bytes)
    return;
  waiting_ = 0;
  tried_for_ = 0;
  effects.push_back(wake_heap_waiters{});
}

/// Returns how much should leave beside what is on its way.
std::size_t heap_relief::missing_bytes() const noexcept {
  auto kept = low_water_bytes_ + leaving_.bytes;
  return relieving_ && used_bytes_ > kept ? used_bytes_ - kept : 0;
}

void heap_relief::choose(heap_effects& effects) {
  auto missing = missing_bytes();
  // A waiter that insists waits for the end of what others have tried, so that its wait ends.
  auto held_up = refused_ && (!may_insist_ || leaving_.objects > 0);
  if (missing == 0 || choosing_ || (held_up ? decoded_exhausted_ : exhausted_)
      || leaving_.objects >= config_.max_leaving)
    return;
  choosing_ = true;
  asked_among_ = held_up ? heap_choice::decoded : heap_choice::all;
  asked_bytes_ = missing;
  asked_objects_ = config_.max_leaving - leaving_.objects;
  effects.push_back(choose_victims{asked_bytes_, asked_objects_, asked_among_});
}

/// Something has changed: what was not there to choose may be there now.
void heap_relief::expect_more() noexcept {
  exhausted_ = false;
  decoded_exhausted_ = false;
}

/// A look that finds nothing is no progress: the stall goes on, and with it the time until it ends.
void heap_relief::watch_stall(heap_effects& effects) {
  if (waiting_ == 0 || leaving_.objects > 0) {
    stall_.reset();
  } else if (!choosing_ && !stall_) {
    stall_ = stall_number{++stalls_};
    effects.push_back(report_heap_stall{*stall_});
  }
}

/// The attempt's wait for the store was theirs, too.
void heap_relief::refuse_tried(heap_effects& effects) {
  if (leaving_.objects > 0 || choosing_ || !std::exchange(tried_in_vain_, false))
    return;
  if (tried_for_ > 0)
    refuse_first(tried_for_, effects);
}

void heap_relief::refuse_first(std::size_t count, heap_effects& effects) {
  waiting_ -= count;
  tried_for_ -= std::min(tried_for_, count);
  stall_.reset();
  effects.push_back(refuse_heap_waiters{count});
}

} // namespace mobula

// Runs any number of timers of one actor on one alarm of CAF's clock. The alarm is moved only if it
// would ring too late, so that most timers that start or stop cost the clock nothing.

#include "mobula/actors/caf/actor_timers.hpp"

#include <utility>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

void actor_timers::attach(caf::scheduled_actor* self) {
  MOBULA_ASSERT(self_ == nullptr);
  self_ = self;
  alarm_.attach(self, [this] { ring(); });
}

deadline actor_timers::start(std::chrono::nanoseconds delay, std::function<void()> at_end) {
  auto timer = queue_.add(deadline_after(self_->clock().now(), delay), std::move(at_end));
  settle();
  return timer;
}

void actor_timers::stop(const deadline& timer) {
  if (queue_.remove(timer))
    settle();
}

void actor_timers::stop_all() {
  queue_.clear();
  settle();
}

void actor_timers::ring() {
  event handled{*this};
  auto now = self_->clock().now();
  while (auto at_end = queue_.take_due(now))
    (*at_end)();
}

/// Sets the alarm only if it would ring too late, and stops it only if nobody needs it: it may ring
/// in vain, but never more often than there were timers.
void actor_timers::settle() {
  if (events_ > 0)
    return;
  auto next = queue_.next();
  if (!next)
    alarm_.stop();
  else if (!alarm_.due() || *alarm_.due() > *next)
    alarm_.set(*next);
}

} // namespace mobula

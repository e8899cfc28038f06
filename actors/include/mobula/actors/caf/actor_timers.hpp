#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>

#include "mobula/actors/caf/actor_alarm.hpp"
#include "mobula/actors/time/deadline_queue.hpp"

namespace mobula {

/// All timers of an actor, or of a part of one. Each can be stopped, and none outlives its cause:
/// CAF's clock holds one timeout for all of them together, and none when there is no timer.
///
/// The idea: messages that CAF delays cannot be taken back, so a timer of ten minutes for each of
/// a million pulls would stay for ten minutes. Here a queue keeps the deadlines, and one alarm that
/// can be taken back wakes the actor for the first of them. The alarm may ring for a timer that was
/// stopped while others wait, and is set again then; so stopping costs the clock nothing.
///
/// Belongs to its actor: nothing here may be called by others.
class actor_timers {
public:
  actor_timers() = default;

  actor_timers(const actor_timers&) = delete;
  actor_timers& operator=(const actor_timers&) = delete;

  /// REQUIRES: called once, before anything else, by `self`.
  void attach(caf::scheduled_actor* self);

  /// Calls `at_end` when `delay` has passed on CAF's clock, unless the timer is stopped before.
  deadline start(std::chrono::nanoseconds delay, std::function<void()> at_end);

  /// Ignored if the timer is over, or names none.
  void stop(const deadline& timer);

  void stop_all();

  /// Timers that run.
  [[nodiscard]] std::size_t size() const noexcept {
    return queue_.size();
  }

  /// While one lives, the clock is not told: what is started and stopped again within one event
  /// costs it nothing.
  class event {
  public:
    explicit event(actor_timers& timers) : timers_(timers) {
      ++timers_.events_;
    }

    event(const event&) = delete;
    event& operator=(const event&) = delete;

    ~event() {
      --timers_.events_;
      timers_.settle();
    }

  private:
    actor_timers& timers_;
  };

private:
  void ring();
  void settle();

  caf::scheduled_actor* self_ = nullptr;
  deadline_queue<std::function<void()>> queue_;
  actor_alarm alarm_;
  std::size_t events_ = 0; ///< that have not ended
};

} // namespace mobula

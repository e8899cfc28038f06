#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <caf/message_id.hpp>
#include <caf/scheduled_actor.hpp>

#include "mobula/actors/caf/caf_clock.hpp"

namespace mobula {

/// A timeout of an actor that can be taken back: in CAF 0.17 only those of requests can, so this is
/// one for a request that was never sent. The clock holds at most one of it at a time. Belongs to
/// its actor.
class actor_alarm {
public:
  actor_alarm() = default;

  actor_alarm(const actor_alarm&) = delete;
  actor_alarm& operator=(const actor_alarm&) = delete;

  ~actor_alarm();

  /// REQUIRES: called once, before anything else, by `self`.
  void attach(caf::scheduled_actor* self, std::function<void()> on_ring);

  /// Rings once at `due`, and no more at the time that was set before.
  void set(caf_clock::time_point due);

  /// Ignored if it is not set.
  void stop();

  /// Returns when it will ring; nothing if it is not set.
  [[nodiscard]] const std::optional<caf_clock::time_point>& due() const noexcept {
    return due_;
  }

private:
  void ring();

  caf::scheduled_actor* self_ = nullptr;
  std::function<void()> on_ring_;
  caf::message_id request_;
  /// Points here while CAF keeps a handler for `request_`. It may outlive the alarm.
  std::shared_ptr<actor_alarm*> handler_;
  std::optional<caf_clock::time_point> due_;
};

} // namespace mobula

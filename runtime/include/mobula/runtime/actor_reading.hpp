#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <caf/scheduled_actor.hpp>

#include "mobula/actors/caf/request_limit.hpp"
#include "mobula/actors/objects/objects_ready.hpp"
#include "mobula/runtime/reading.hpp"

namespace mobula::internal {

/// One wait of an actor: the watched references, the group that watches them, and the timer. Lives
/// in the response handler that CAF keeps for the actor; so an actor that ends also ends the wait.
class actor_reading {
public:
  /// Starts to wait on behalf of `self`, to which the answer to `request()` is sent when `needed`
  /// objects are there. REQUIRES: called by `self`.
  actor_reading(caf::scheduled_actor& self, std::vector<object_handle> objects, std::size_t needed,
                wait_goal goal, const wait_limit& limit);

  actor_reading(const actor_reading&) = delete;
  actor_reading& operator=(const actor_reading&) = delete;

  /// Ends the wait, which may have run out of time in the middle of a seal: what it has can be
  /// collected from here on.
  void stop() noexcept {
    group_->cancel();
  }

  /// The id under which CAF delivers the answer.
  [[nodiscard]] caf::message_id request() const noexcept {
    return request_.response_id();
  }

  [[nodiscard]] const std::vector<object_entry*>& entries() const noexcept {
    return entries_;
  }

  /// What it has is to be collected once the wait is stopped.
  [[nodiscard]] wait_group* group() const noexcept {
    return group_.get();
  }

private:
  std::vector<object_handle> objects_;
  std::vector<object_entry*> entries_;
  caf::message_id request_;
  wait_handle<actor_wait> group_;
  std::optional<request_limit> timer_;
};

/// How a handler is called: after other messages, or before any other.
enum class response_order : std::uint8_t { multiplexed, awaited };

/// Has `self` run `on_end(actor_reading&)` once, when the wait is over for whatever reason.
template <class F>
void when_read(caf::scheduled_actor* self, response_order order,
               std::shared_ptr<actor_reading> wait, F on_end) {
  auto id = wait->request();
  auto finish = [wait = std::move(wait), on_end = std::move(on_end)]() mutable {
    // The handler may start new waits: this one ends first.
    auto done = std::move(wait);
    done->stop();
    on_end(*done);
  };
  auto shared = std::make_shared<decltype(finish)>(std::move(finish));
  caf::behavior handler{[shared](objects_ready) { (*shared)(); },
                        [shared](const caf::error&) {
                          (*shared)();
                        }};
  if (order == response_order::awaited)
    self->add_awaited_response_handler(id, std::move(handler));
  else
    self->add_multiplexed_response_handler(id, std::move(handler));
}

/// Returns the handles of `refs`. Throws as `entry_in` for an empty one.
template <class T>
std::vector<object_handle> handles_of(std::span<const ObjectRef<T>> refs) {
  std::vector<object_handle> result;
  result.reserve(refs.size());
  for (std::size_t index = 0; index < refs.size(); ++index) {
    static_cast<void>(entry_in(refs, index));
    result.push_back(refs[index].handle());
  }
  return result;
}

} // namespace mobula::internal

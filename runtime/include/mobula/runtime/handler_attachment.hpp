#pragma once

#include <utility>

#include "mobula/runtime/actor_reading.hpp"

namespace mobula::internal {

/// How handlers are attached to a question of an actor's that ends in a value or in an error.
/// `Request` derives from this, befriends it, and has a member
/// `start(response_order, on_value, on_error)`.
template <class Request>
class handler_attachment {
public:
  /// Calls `on_value` with what `Request` gives, or `on_error(caf::error&)`; `to_error_info`
  /// unwraps the error. Without the latter, an error goes to the actor's error handler, whose
  /// default ends it. Other messages are handled meanwhile.
  template <class OnValue, class OnError>
  void then(OnValue on_value, OnError on_error) {
    request().start(response_order::multiplexed, std::move(on_value), std::move(on_error));
  }

  template <class OnValue>
  void then(OnValue on_value) {
    then(std::move(on_value), default_error_handler());
  }

  /// The same; other messages wait.
  template <class OnValue, class OnError>
  void await(OnValue on_value, OnError on_error) {
    request().start(response_order::awaited, std::move(on_value), std::move(on_error));
  }

  template <class OnValue>
  void await(OnValue on_value) {
    await(std::move(on_value), default_error_handler());
  }

protected:
  explicit handler_attachment(caf::scheduled_actor* self) : self_(self) {
    // nop
  }

  [[nodiscard]] caf::scheduled_actor* self() const noexcept {
    return self_;
  }

private:
  [[nodiscard]] Request& request() noexcept {
    return static_cast<Request&>(*this);
  }

  auto default_error_handler() const {
    return [self = self_](caf::error& reason) {
      self->call_error_handler(reason);
    };
  }

  caf::scheduled_actor* self_;
};

} // namespace mobula::internal

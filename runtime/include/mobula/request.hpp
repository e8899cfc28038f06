#pragma once

#include <memory>
#include <utility>

#include <caf/scheduled_actor.hpp>
#include <caf/scoped_actor.hpp>

#include "mobula/actors/caf/remote_actors.hpp"
#include "mobula/actors/caf/request_types.hpp"
#include "mobula/runtime/handler_slot.hpp"
#include "mobula/runtime/reading.hpp"

// Talking to actors that may be on other nodes. CAF's own `self->request` to one whose node dies is
// never answered, and a handle that was had before a connection was lost leads nowhere from then
// on. These functions do what CAF's do, but end with `node_died` when the connection does, and find
// the actor again over the next one. To actors of the same system they are CAF's own.

namespace mobula {

/// A request under way. Attach handlers exactly once, right away, as with `self->request(...)`;
/// more of them throw `object_error` (`invalid_argument`), and so do those of a request that was
/// moved from.
///
/// *Threads.* Belongs to the actor that asks: only what runs as part of that touches it, and there
/// its handlers run. `receive` blocks; the others never do.
template <class Response>
class actor_request {
public:
  actor_request(Response response, actor_wait_token token)
    : response_(std::move(response)), token_(std::move(token)) {
    // nop
  }

  /// Calls `on_answer` with the answer, or `on_error(caf::error&)`; `to_error_info` unwraps the
  /// error. Without the latter, an error goes to the actor's error handler, whose default ends it.
  /// Other messages are handled meanwhile.
  template <class OnAnswer, class... OnError>
  void then(OnAnswer on_answer, OnError... on_error) {
    slot_.take();
    response_.then(keeping(std::move(on_answer)), std::move(on_error)...);
  }

  /// The same; other messages wait.
  template <class OnAnswer, class... OnError>
  void await(OnAnswer on_answer, OnError... on_error) {
    slot_.take();
    response_.await(keeping(std::move(on_answer)), std::move(on_error)...);
  }

  /// The same for actors that block, `caf::scoped_actor` among them.
  template <class OnAnswer, class OnError>
  void receive(OnAnswer on_answer, OnError on_error) {
    slot_.take();
    response_.receive(std::move(on_answer), std::move(on_error));
  }

private:
  /// Returns a handler with which the wait lives: until the answer, or the actor's end.
  template <class F>
  auto keeping(F handler) {
    return function_of<F>{[handler = std::make_shared<F>(std::move(handler)),
                           token = std::move(token_)](auto&&... content) {
      return (*handler)(std::forward<decltype(content)>(content)...);
    }};
  }

  Response response_;
  actor_wait_token token_;
  internal::handler_slot slot_;
};

/// Sends `content` to `receiver`, as `self->request(receiver, limit, content...)` does, and gives a
/// request to which handlers are attached with `then`, `await` or `receive`. It ends with
/// `node_died` if the node of the receiver is lost before the answer came, or cannot be reached,
/// and with `get_timed_out` after `limit`. REQUIRES: called by `self`.
template <class Self, class Handle, class... Ts>
auto request(Self* self, const Handle& receiver, const wait_limit& limit, Ts&&... content) {
  static_assert(takes_message<Handle, Ts...>, "the receiver does not take this message");
  using response = pending_answer<Self, answer_types<Handle, Ts...>>;
  static_assert(sizeof...(Ts) > 0, "there is nothing to send");
  internal::require_valid(limit);
  auto id = self->new_request_id(caf::message_priority::normal);
  auto token = send_request(*self, caf::actor_cast<caf::strong_actor_ptr>(receiver), id,
                            caf::make_message(std::forward<Ts>(content)...), limit);
  return actor_request<response>{response{id.response_id(), self}, std::move(token)};
}

template <class Handle, class... Ts>
auto request(caf::scoped_actor& self, const Handle& receiver, const wait_limit& limit,
             Ts&&... content) {
  return request(self.ptr(), receiver, limit, std::forward<Ts>(content)...);
}

/// Sends `content` to `receiver`, as `self->send(receiver, content...)` does, but also through a
/// handle that was had before the connection was lost, once there is another one. What is sent
/// while there is none is lost. REQUIRES: called by `self`.
template <class Self, class Handle, class... Ts>
void send(Self* self, const Handle& receiver, Ts&&... content) {
  static_assert(sizeof...(Ts) > 0, "there is nothing to send");
  if (auto target = caf::actor_cast<caf::strong_actor_ptr>(receiver))
    send_anew(*self, target, caf::make_message(std::forward<Ts>(content)...));
}

/// Calls `on_end(caf::error&)` once, as part of `self`, when `actor` has ended or its node is lost;
/// soon, if it has ended already. `to_error_info` gives `actor_died` or `node_died`. Nothing is
/// called when `self` ends first. REQUIRES: called by `self`.
template <class Handle, class F>
void watch(caf::scheduled_actor* self, const Handle& actor, F on_end) {
  watch_actor(*self, caf::actor_cast<caf::strong_actor_ptr>(actor), std::move(on_end));
}

} // namespace mobula

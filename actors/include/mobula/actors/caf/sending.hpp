#pragma once

#include <chrono>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/actor_clock.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/local_actor.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/make_message.hpp>
#include <caf/message_id.hpp>

#include "mobula/actors/caf/caf_clock.hpp"
#include "mobula/actors/time/deadline_queue.hpp"

/// Messages to actors that are known by nothing but their address.

namespace mobula {

/// Sends `content` to `receiver`, from any thread. `sender` may be null, and so may `context`, what
/// runs the sender.
template <class T>
void send_to(const caf::strong_actor_ptr& receiver, T content, caf::strong_actor_ptr sender = {},
             caf::execution_unit* context = nullptr) {
  receiver->enqueue(
    caf::make_mailbox_element(std::move(sender), caf::make_message_id(), {}, std::move(content)),
    context);
}

/// The same for an actor that says who it is.
template <class T>
void send_from(caf::local_actor& self, const caf::strong_actor_ptr& receiver, T content) {
  send_to(receiver, std::move(content), caf::actor_cast<caf::strong_actor_ptr>(self.address()),
          self.context());
}

/// Sends `content` to `receiver` when `delay` has passed on the clock of `system`, from any thread;
/// never, if that is beyond the end of time. Cannot be taken back: an actor that waits for
/// something has `actor_timers`.
template <class T>
void send_after(caf::actor_system& system, caf::strong_actor_ptr receiver,
                std::chrono::nanoseconds delay, T content) {
  auto& clock = system.clock();
  auto due = deadline_after(clock.now(), delay);
  if (due < caf_clock::time_point::max())
    clock.schedule_message(
      due, std::move(receiver),
      caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, std::move(content)));
}

/// Sends `content` to `receiver` as the answer to its own request `request`, from any thread.
template <class T>
void answer_request(const caf::strong_actor_ptr& receiver, caf::message_id request, T content) {
  receiver->enqueue(
    caf::make_mailbox_element(receiver, request.response_id(), {}, std::move(content)), nullptr);
}

/// Returns whether an actor, or what stands here for one of another node, has ended.
[[nodiscard]] bool has_ended(const caf::strong_actor_ptr& actor);

} // namespace mobula

// Takes back the timeout of a request that was never sent.

#include "mobula/actors/caf/actor_alarm.hpp"

#include <utility>

#include <caf/behavior.hpp>

namespace mobula {

actor_alarm::~actor_alarm() {
  if (handler_)
    *handler_ = nullptr;
  stop();
}

void actor_alarm::attach(caf::scheduled_actor* self, std::function<void()> on_ring) {
  self_ = self;
  on_ring_ = std::move(on_ring);
}

void actor_alarm::set(caf_clock::time_point due) {
  stop();
  // CAF keeps a handler until its answer comes, so the one of a stopped alarm serves the next.
  if (!handler_) {
    handler_ = std::make_shared<actor_alarm*>(this);
    request_ = self_->new_request_id(caf::message_priority::normal).response_id();
    self_->add_multiplexed_response_handler(request_,
                                            caf::behavior{[handler = handler_](const caf::error&) {
                                              if (*handler != nullptr)
                                                (*handler)->ring();
                                            }});
  }
  due_ = due;
  self_->clock().set_request_timeout(due, self_, request_);
}

void actor_alarm::stop() {
  if (std::exchange(due_, std::nullopt))
    self_->clock().cancel_request_timeout(self_, request_);
}

/// It may ring for a time that was set before and had passed when that was taken back.
void actor_alarm::ring() {
  handler_.reset();
  if (!due_)
    return;
  auto due = *due_;
  if (self_->clock().now() < due)
    return set(due);
  due_.reset();
  on_ring_();
}

} // namespace mobula

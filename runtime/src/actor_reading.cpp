// One wait of an actor for objects: arms its group and its timer, and takes both back at the end.

#include "mobula/runtime/actor_reading.hpp"

#include <algorithm>

#include "mobula/actors/time/deadline_queue.hpp"

namespace mobula::internal {

actor_reading::actor_reading(caf::scheduled_actor& self, std::vector<object_handle> objects,
                             std::size_t needed, wait_goal goal, const wait_limit& limit)
  : objects_(std::move(objects)) {
  require_valid(limit);
  entries_.reserve(objects_.size());
  for (const auto& object : objects_) {
    object->core().require_home();
    entries_.push_back(object.get());
  }
  request_ = self.new_request_id(caf::message_priority::normal);
  group_.reset(new actor_wait(caf::actor_cast<caf::strong_actor_ptr>(&self), request_));
  group_->arm(entries_, needed, goal);
  if (!limit)
    return;
  if (*limit == std::chrono::nanoseconds::zero()) {
    // "Now": looks again when the answer arrives, which is the next thing to do.
    group_->abort();
    return;
  }
  auto due = deadline_after(self.clock().now(), *limit);
  if (due == caf_clock::time_point::max())
    return;
  timer_.emplace(self, request(), due);
}

} // namespace mobula::internal

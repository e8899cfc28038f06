#include "mobula/actors/room_request.hpp"

#include "mobula/actors/simulated_wait.hpp"

namespace mobula {

void room_answer::set(std::optional<error_info> failure) {
  std::unique_lock guard{mutex_};
  failure_ = std::move(failure);
  set_ = true;
  // Under the mutex: the waiter may destroy this as soon as it holds it.
  changed_.notify_all();
}

std::optional<error_info> room_answer::await(caf::scheduler::test_coordinator* simulation,
                                             const error_info& would_block) {
  if (simulation != nullptr
      && simulate_until(*simulation, [this] { return is_set(); }) != simulated_end::done)
    return would_block;
  std::unique_lock guard{mutex_};
  changed_.wait(guard, [this] { return set_; });
  return failure_;
}

bool room_answer::is_set() {
  std::unique_lock guard{mutex_};
  return set_;
}

} // namespace mobula

#include "mobula/actors/service_messages.hpp"

namespace mobula {

void stats_answer::set(const node_stats& stats) {
  std::unique_lock guard{mutex_};
  stats_ = stats;
  set_ = true;
  changed_.notify_all();
}

node_stats stats_answer::await(caf::scheduler::test_coordinator* simulation) {
  while (simulation != nullptr && !is_set() && simulation->try_run_once())
    ; // all the work is in the condition
  std::unique_lock guard{mutex_};
  if (simulation == nullptr)
    changed_.wait(guard, [this] { return set_; });
  return stats_;
}

bool stats_answer::is_set() {
  std::unique_lock guard{mutex_};
  return set_;
}

} // namespace mobula

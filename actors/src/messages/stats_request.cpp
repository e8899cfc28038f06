// Hands the figures of a node from the service that completes them to the thread that asked.

#include "mobula/actors/messages/stats_request.hpp"

namespace mobula {

void stats_answer::set(const node_stats& stats) {
  std::unique_lock guard{mutex_};
  stats_ = stats;
  set_ = true;
}

bool stats_answer::is_set() const {
  std::unique_lock guard{mutex_};
  return set_;
}

node_stats stats_answer::get() const {
  std::unique_lock guard{mutex_};
  return stats_;
}

} // namespace mobula

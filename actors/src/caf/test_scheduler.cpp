// Drives CAF's scheduler for tests.

#include "mobula/actors/caf/test_scheduler.hpp"

#include <algorithm>
#include <utility>

#include <caf/actor_system.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

simulation_scheduler* test_scheduler(caf::actor_system& system) {
  return dynamic_cast<simulation_scheduler*>(&system.scheduler());
}

std::size_t count_jobs(const simulation_scheduler& scheduler) {
  return scheduler.jobs.size();
}

bool run_first_job(simulation_scheduler& scheduler) {
  return scheduler.try_run_once();
}

void run_job(simulation_scheduler& scheduler, std::size_t place) {
  auto& jobs = scheduler.jobs;
  MOBULA_ASSERT(place < jobs.size());
  auto chosen = jobs.begin() + static_cast<std::ptrdiff_t>(place);
  std::rotate(jobs.begin(), chosen, chosen + 1);
  static_cast<void>(scheduler.try_run_once());
}

void after_next_job(simulation_scheduler& scheduler, std::function<void()> action) {
  scheduler.after_next_enqueue(std::move(action));
}

caf_clock::time_point time_of(simulation_scheduler& scheduler) {
  return scheduler.clock().now();
}

void advance_time(simulation_scheduler& scheduler, caf_clock::duration time) {
  scheduler.advance_time(time);
}

std::optional<caf_clock::time_point> next_timeout(simulation_scheduler& scheduler) {
  const auto& schedule = scheduler.clock().schedule();
  if (schedule.empty())
    return std::nullopt;
  return schedule.begin()->first;
}

std::size_t count_timers(simulation_scheduler& scheduler) {
  return scheduler.clock().schedule().size();
}

void stop_timers(simulation_scheduler& scheduler) {
  scheduler.clock().cancel_all();
}

} // namespace mobula

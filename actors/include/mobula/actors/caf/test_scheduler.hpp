#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include <caf/fwd.hpp>

#include "mobula/actors/caf/caf_clock.hpp"

/// The scheduler under which simulations run: all actors in one thread, a job at a time, by a clock
/// that is moved by hand. Nothing here may be called by two threads at once.

namespace mobula {

using simulation_scheduler = caf::scheduler::test_coordinator;

/// Returns that scheduler if `system` runs under it, else null.
[[nodiscard]] simulation_scheduler* test_scheduler(caf::actor_system& system);

/// Returns how many jobs wait: actors that have something to do.
[[nodiscard]] std::size_t count_jobs(const simulation_scheduler& scheduler);

/// Runs the first job. Returns whether there was one.
bool run_first_job(simulation_scheduler& scheduler);

/// Runs the job in that place. REQUIRES: there is one.
void run_job(simulation_scheduler& scheduler, std::size_t place);

/// Calls `action` once, when the next job is added.
void after_next_job(simulation_scheduler& scheduler, std::function<void()> action);

/// Returns the time of its clock.
[[nodiscard]] caf_clock::time_point time_of(simulation_scheduler& scheduler);

/// Moves its clock on, and adds the jobs whose time has come.
void advance_time(simulation_scheduler& scheduler, caf_clock::duration time);

/// Returns when the earliest timer is due, if there is one.
[[nodiscard]] std::optional<caf_clock::time_point> next_timeout(simulation_scheduler& scheduler);

/// Returns how many timers run.
[[nodiscard]] std::size_t count_timers(simulation_scheduler& scheduler);

/// Stops all timers.
void stop_timers(simulation_scheduler& scheduler);

} // namespace mobula

#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "mobula/actors/caf/test_scheduler.hpp"

namespace mobula {

/// How waiting in a simulation ended.
enum class simulated_end : std::uint8_t { done, timed_out, would_block_forever };

/// Lets a thread of a simulation wait: runs it until `done()`, and moves its clock to the next
/// timer when nothing else is to do.
template <class Done>
simulated_end simulate_until(simulation_scheduler& scheduler, Done done,
                             std::optional<caf_clock::time_point> deadline = std::nullopt) {
  while (!done()) {
    auto now = time_of(scheduler);
    if (deadline && now >= *deadline)
      return simulated_end::timed_out;
    if (run_first_job(scheduler))
      continue;
    // Nothing is under way: only time can help.
    auto next = next_timeout(scheduler);
    if (!next && !deadline)
      return simulated_end::would_block_forever;
    constexpr auto never = caf_clock::time_point::max();
    auto target = std::min(next.value_or(never), deadline.value_or(never));
    advance_time(scheduler, std::max(target - now, caf_clock::duration::zero()));
  }
  return simulated_end::done;
}

} // namespace mobula

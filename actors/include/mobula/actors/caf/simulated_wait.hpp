#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "mobula/actors/caf/caf_compat.hpp"

namespace mobula {

/// How waiting in a simulation ended.
enum class simulated_end : std::uint8_t { done, timed_out, would_block_forever };

/// Lets a thread of a simulation wait: runs it until `done()`, and moves its clock to the next
/// timer when nothing else is to do.
template <class Done>
simulated_end simulate_until(caf::scheduler::test_coordinator& scheduler, Done done,
                             std::optional<caf_clock::time_point> deadline = std::nullopt) {
  while (!done()) {
    auto now = scheduler.clock().now();
    if (deadline && now >= *deadline)
      return simulated_end::timed_out;
    if (scheduler.try_run_once())
      continue;
    // Nothing is under way: only time can help.
    auto next = next_timeout(scheduler);
    if (!next && !deadline)
      return simulated_end::would_block_forever;
    constexpr auto never = caf_clock::time_point::max();
    auto target = std::min(next.value_or(never), deadline.value_or(never));
    scheduler.advance_time(std::max(target - now, caf_clock::duration::zero()));
  }
  return simulated_end::done;
}

} // namespace mobula

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mobula::soak {

/// One kind of random schedule. Everything about a run follows from its seed.
struct schedule_kind {
  std::string name;

  /// Seeds that take about as long as one seed of the slowest kind.
  std::uint64_t seeds_a_round = 1;

  /// Runs one seed, and says which promises were broken; nothing if none was.
  std::function<std::string(std::uint64_t seed)> run;
};

/// All schedules over several nodes that the tests know: whole nodes in a simulation, with
/// everything that may go wrong, and the protocol of references alone.
[[nodiscard]] std::vector<schedule_kind> all_kinds();

} // namespace mobula::soak

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "schedule_kinds.hpp"

namespace mobula::soak {

struct soak_plan {
  std::vector<schedule_kind> kinds; ///< at most `max_kinds`
  std::uint64_t first_seed = 1;

  /// How many seeds of the slowest kinds; of a faster one, as many as take as long. Nothing: until
  /// time is up.
  std::optional<std::uint64_t> rounds = std::nullopt;

  /// No run begins later.
  std::optional<std::chrono::seconds> time = std::nullopt;

  /// Processes at a time, at most `max_workers`.
  std::size_t workers = 1;
};

inline constexpr std::size_t max_kinds = 32;
inline constexpr std::size_t max_workers = 256;

/// Failing seeds after which no run begins any more: something is wrong with all of them.
inline constexpr std::uint64_t max_failures = 20;

/// What takes longer than this never ends.
inline constexpr std::chrono::minutes longest_run{10};

/// Runs schedules until the plan's end, in processes of their own, and prints how far they are,
/// each seed that fails, and how to run it alone. Returns how many failed.
///
/// The idea: a broken invariant aborts its process, and a run may not end at all. So the parent
/// runs nothing itself. Each worker writes into shared memory which seed it runs; when it dies, or
/// takes too long, that seed has failed, and another worker takes its place. Runs share nothing, so
/// there are as many at a time as there are cores.
[[nodiscard]] std::uint64_t soak(const soak_plan& plan);

} // namespace mobula::soak

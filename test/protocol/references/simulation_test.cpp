// Random workloads, schedules and failures against the whole protocol.

#include <cstdlib>

#include <doctest/doctest.h>

#include "random_workload.hpp"

using namespace mobula::test;

namespace {

/// The environment variable's number, or `otherwise`.
std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const auto* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

} // namespace

TEST_CASE("after any schedule and any failures every promise was kept and nothing is left") {
  auto first = number_from("MOBULA_SEED", 1);
  auto seeds = number_from("MOBULA_SEEDS", first == 1 ? 20'000 : 1);
  coverage seen;
  for (auto seed = first; seed < first + seeds; ++seed) {
    CAPTURE(seed);
    if (!run(make_workload(seed), seen).failure.empty())
      FAIL(describe_failure(seed));
  }
  MESSAGE("messages ", seen.messages, ", borrowed ", seen.borrowed, ", unknown ", seen.unknown,
          ", came home ", seen.came_home, ", ended by owner ", seen.ended_by_owner,
          ", ended by barrier ", seen.ended_by_barrier, ", canceled ", seen.canceled,
          ", owner died ", seen.owner_died, ", strange ", seen.strange);
  // The schedules are worth something only if they go everywhere.
  if (seeds < 1'000)
    return;
  CHECK(seen.borrowed > seeds);
  CHECK(seen.unknown > 0);
  CHECK(seen.came_home > seeds);
  CHECK(seen.ended_by_owner > seeds);
  CHECK(seen.ended_by_barrier > seeds / 2);
  CHECK(seen.canceled > seeds / 4);
  CHECK(seen.owner_died > seeds / 10);
  CHECK(seen.strange == 0);
}

TEST_CASE("one seed always gives the same run, message by message") {
  auto trace = [](std::uint64_t seed) {
    auto work = make_workload(seed);
    work.options.trace = tracing::on;
    coverage seen;
    return run(work, seen, kept_trace::always).trace;
  };
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    auto first = trace(seed);
    CHECK_FALSE(first.empty());
    CHECK((first == trace(seed)));
  }
}

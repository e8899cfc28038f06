// Random schedules over several nodes, from fixed ranges of seeds; random_schedule.hpp says what
// they do. test/soak runs more of them.

#include <tuple>

#include <doctest/doctest.h>

#include "random_schedule.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

void run_seeds(std::uint64_t first, std::uint64_t count, const schedule_plan& plan) {
  schedule_coverage seen;
  std::uint64_t runs = 0;
  testing::for_each_seed(first, count, settings_of_schedule, [&](testing::simulation& sim) {
    // Counted from the first seed.
    CAPTURE(runs);
    run_schedule(sim, plan, seen);
    ++runs;
  });
  MESSAGE("values ", seen.values, ", of other nodes ", seen.borrowed_values, ", time-outs ",
          seen.timeouts, ", references sent ", seen.arrived, ", failed ", seen.lost_owners,
          ", freed ", seen.freed, ", pulled ", seen.pulled, ", asks lost ", seen.lost_asks,
          ", evicted ", seen.evicted, ", left the heap ", seen.left_heap, ", refused ",
          seen.refusals);
  // A heap is seldom full of what cannot leave it.
  CHECK(seen.refusals <= seen.values / 100);
  // One seed alone need not meet everything.
  if (runs < 100)
    return;
  CHECK(seen.values > 0);
  CHECK(seen.borrowed_values > 0);
  CHECK(seen.arrived > 0);
  CHECK(seen.timeouts > 0);
  CHECK((seen.lost_owners > 0) == (plan.expect != upset::none));
  CHECK((seen.freed > 0) == (plan.frees == freeing::sometimes));
  CHECK((seen.left_heap > 0) == (plan.heap == heap_space::little));
  // A value that is not found in place is pulled even so, now and then.
  if (plan.way == value_way::in_place)
    return;
  CHECK(seen.pulled > 0);
  CHECK(seen.lost_asks > 0);
  CHECK(seen.evicted > 0);
}

} // namespace

TEST_CASE("random schedules over three nodes keep every promise") {
  run_seeds(1, 500, {upset::none});
}

TEST_CASE("random schedules keep what can be kept when connections are cut") {
  run_seeds(10'001, 500, {upset::cuts});
}

TEST_CASE("random schedules keep what can be kept when nodes crash") {
  run_seeds(20'001, 500, {upset::crashes});
}

TEST_CASE("random schedules keep every promise when values are pulled and transfers break") {
  run_seeds(30'001, 500, {upset::none, value_way::by_pull});
}

TEST_CASE("random schedules with pulls keep what can be kept when connections are cut") {
  run_seeds(40'001, 500, {upset::cuts, value_way::by_pull});
}

TEST_CASE("random schedules with pulls keep what can be kept when nodes crash") {
  run_seeds(50'001, 500, {upset::crashes, value_way::by_pull});
}

TEST_CASE("random schedules keep what can be kept when values are freed") {
  run_seeds(60'001, 200, {upset::none, value_way::in_place, freeing::sometimes});
  run_seeds(70'001, 200, {upset::crashes, value_way::by_pull, freeing::sometimes});
}

TEST_CASE("random schedules keep every promise when values leave small heaps") {
  run_seeds(80'001, 300, {upset::none, value_way::in_place, freeing::never, heap_space::little});
}

TEST_CASE("random schedules keep what can be kept when values leave small heaps and nodes crash") {
  run_seeds(90'001, 300,
            {upset::crashes, value_way::in_place, freeing::sometimes, heap_space::little});
}

TEST_CASE("one seed always gives the same run") {
  auto trace = [](std::uint64_t seed, const schedule_plan& plan) {
    testing::simulation sim{seed, settings_of_schedule()};
    schedule_coverage seen;
    run_schedule(sim, plan, seen);
    return std::tuple{sim.random()(), sim.now(),    seen.values,     seen.borrowed_values,
                      seen.timeouts,  seen.arrived, seen.lost_asks,  seen.pulled,
                      seen.evicted,   seen.freed,   seen.lost_owners};
  };
  for (auto expect : {upset::none, upset::cuts, upset::crashes})
    for (auto way : {value_way::in_place, value_way::by_pull})
      for (auto frees : {freeing::never, freeing::sometimes})
        for (std::uint64_t seed = 77; seed < 81; ++seed) {
          CAPTURE(seed);
          schedule_plan plan{expect, way, frees};
          CHECK(trace(seed, plan) == trace(seed, plan));
          CHECK(trace(seed, plan) != trace(seed + 1, plan));
        }
}

// The kinds of random schedules that mobula-soak runs, each as a function from a seed to what went
// wrong.

#include "schedule_kinds.hpp"

#include <exception>
#include <stdexcept>

#include "../cluster/simulated/random_schedule.hpp"
#include "../protocol/references/random_workload.hpp"

namespace mobula::soak {

namespace {

using test::freeing;
using test::schedule_plan;
using test::upset;
using test::value_way;

/// As `testing::for_each_seed` does it, so that a seed gives the same run here and there.
std::string run_cluster(const schedule_plan& plan, std::uint64_t seed) {
  try {
    testing::simulation sim{seed, test::settings_of_schedule()};
    test::schedule_coverage ignored;
    test::run_schedule(sim, plan, ignored);
    return {};
  } catch (const std::exception& error) {
    return error.what();
  }
}

std::string run_protocol(std::uint64_t seed) {
  test::coverage ignored;
  if (test::run(test::make_workload(seed), ignored).failure.empty())
    return {};
  return test::describe_failure(seed);
}

std::string name_of(const schedule_plan& plan) {
  std::string result = "cluster/";
  result += plan.expect == upset::none ? "calm" : plan.expect == upset::cuts ? "cuts" : "crashes";
  result += plan.way == value_way::in_place ? "/in_place" : "/pulls";
  // No name begins with another one.
  result += plan.frees == freeing::never ? "/keep" : "/free";
  return result;
}

} // namespace

std::vector<schedule_kind> all_kinds() {
  std::vector<schedule_kind> result;
  for (auto expect : {upset::none, upset::cuts, upset::crashes})
    for (auto way : {value_way::in_place, value_way::by_pull})
      for (auto frees : {freeing::never, freeing::sometimes}) {
        schedule_plan plan{expect, way, frees};
        result.push_back({.name = name_of(plan), .run = [plan](std::uint64_t seed) {
                            return run_cluster(plan, seed);
                          }});
      }
  result.push_back({.name = "protocol", .seeds_a_round = 100, .run = run_protocol});
  return result;
}

} // namespace mobula::soak

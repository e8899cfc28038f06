#pragma once

#include <cstdint>
#include <memory>

#include <mobula/config.hpp>
#include <mobula/testing.hpp>

/// Random schedules over several nodes of a simulation: actors put, nest, send, pass on, drop, read
/// and wait in an order that a seed chooses, while connections are cut and nodes crash.
///
/// A model knows what each read may give. Whatever happens, it ends in a value that is whole or in
/// an error that may happen here; at the end all reads have ended, the tables' own sums are right,
/// and nothing is left (I1 to I6).

namespace mobula::test {

/// What may go wrong between the nodes of a schedule, and with them.
enum class upset : std::uint8_t { none, cuts, crashes };

/// How values get to readers on other nodes.
enum class value_way : std::uint8_t { in_place, by_pull };

/// Whether actors free values to which others refer.
enum class freeing : std::uint8_t { never, sometimes };

/// Whether the process heap has space for all values that may be there.
enum class heap_space : std::uint8_t { enough, little };

struct schedule_plan {
  upset expect = upset::none;
  value_way way = value_way::in_place;
  freeing frees = freeing::never;
  heap_space heap = heap_space::enough;
};

/// What happened in all runs that it was given to: a schedule in which little happens proves
/// little.
struct schedule_coverage {
  std::uint64_t values = 0;
  std::uint64_t borrowed_values = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t lost_owners = 0;
  std::uint64_t freed = 0;
  std::uint64_t arrived = 0;
  std::uint64_t pulled = 0;
  std::uint64_t lost_asks = 0;
  std::uint64_t evicted = 0;
  std::uint64_t left_heap = 0;
  std::uint64_t refusals = 0;
};

/// Returns the configuration of a simulation in which schedules run.
[[nodiscard]] std::unique_ptr<config> settings_of_schedule();

/// Runs one schedule, which the simulation's seed chooses. Throws `std::logic_error` that says
/// which promises were broken; aborts where a table notices by itself.
void run_schedule(testing::simulation& sim, const schedule_plan& plan, schedule_coverage& seen);

} // namespace mobula::test

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>

#include "mobula/config.hpp"
#include "mobula/node.hpp"

namespace mobula::testing {

/// Runs nodes, and the actors that use them, under CAF's test coordinator: one thread, one message
/// at a time, in an order that the test or a seed chooses, with a clock that only the test moves.
/// What happens depends on nothing else, so every run with one seed is the same.
///
/// Members of a node that block (`get`, `wait`, `put` into a full store, `stats`, `shutdown`) run
/// the simulation until they can return. One that can never return gives `would_block_forever`.
///
/// Not thread-safe: all calls come from the thread that made the simulation.
class simulation {
public:
  /// Starts an actor system whose services draw ids from `seed`, which also seeds `run_randomly`.
  explicit simulation(std::uint64_t seed = 1);

  /// Starts with the caller's configuration, to add message types and options. Its scheduler is
  /// replaced.
  simulation(std::uint64_t seed, std::unique_ptr<config> settings);

  simulation(const simulation&) = delete;
  simulation& operator=(const simulation&) = delete;

  /// Shuts the nodes down and runs what is left.
  ~simulation();

  // -- what there is ------------------------------------------------------------------------------

  [[nodiscard]] caf::actor_system& system() noexcept {
    return *system_;
  }

  /// Starts a node with the options of the configuration, but ids of its own.
  node& add_node();

  /// Starts a node with options of the caller's; a seed of 0 is replaced.
  node& add_node(node_options options);

  /// Options as `add_node` takes them: those of the configuration.
  [[nodiscard]] node_options default_options() const;

  /// Shuts `node` down and destroys it. REQUIRES: made by `add_node`.
  void remove_node(node& node);

  /// The source of all random choices.
  [[nodiscard]] std::mt19937_64& random() noexcept {
    return random_;
  }

  // -- running ------------------------------------------------------------------------------------

  /// Lets the actor whose turn it is handle one message. Returns whether there was one.
  bool run_one();

  /// Lets a randomly chosen actor that has a message handle one. Messages from one actor to another
  /// stay in order, as in CAF. Returns whether there was one.
  bool run_one_randomly();

  /// Runs until no actor has a message. Returns the number of steps. Does not move the clock.
  std::size_t run();

  /// The same in random order.
  std::size_t run_randomly();

  /// Returns whether no actor has a message.
  [[nodiscard]] bool idle() const;

  // -- time ---------------------------------------------------------------------------------------

  /// Moves the clock; timers that are due send their messages. Runs no actor.
  void advance(std::chrono::nanoseconds time);

  /// The time on the simulation's clock.
  [[nodiscard]] caf_clock::time_point now() const;

  /// Timers that are set.
  [[nodiscard]] std::size_t timers() const;

  // -- checking -----------------------------------------------------------------------------------

  /// Runs until idle, then returns a description of all that is left on any node: objects, entries,
  /// references, bytes in memory and on disk, waiting readers, timers. Empty: nothing is left.
  [[nodiscard]] std::string leftovers();

  /// Runs until idle, then asks each table of each node to recompute its sums. Aborts the process
  /// if one is wrong, as invariants do everywhere.
  void check_invariants();

private:
  [[nodiscard]] caf::scheduler::test_coordinator& scheduler() const;

  std::mt19937_64 random_;
  std::unique_ptr<config> settings_;
  std::unique_ptr<caf::actor_system> system_;
  std::deque<std::unique_ptr<node>> nodes_;
};

/// Calls `body(simulation&, std::mt19937_64&)` for `count` seeds from `first` on. Prints the seed
/// of a run that throws or leaves something behind, and how to run it alone, before it passes the
/// exception on. The environment variables `MOBULA_SEEDS` (number of seeds) and `MOBULA_SEED` (one
/// seed) override the numbers.
void for_each_seed(std::uint64_t first, std::uint64_t count,
                   const std::function<void(simulation&)>& body);

} // namespace mobula::testing

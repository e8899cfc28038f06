#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <caf/actor_addr.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>

#include "mobula/config.hpp"
#include "mobula/node.hpp"
#include "mobula/runtime/simulated_network.hpp"

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
  /// replaced. Options that it does not set are those of small tests: a store and a heap of 16 MiB
  /// each, no memory faulted in ahead, and objects that know where they were made.
  simulation(std::uint64_t seed, std::unique_ptr<config> settings);

  simulation(const simulation&) = delete;
  simulation& operator=(const simulation&) = delete;

  /// Shuts the nodes down and runs what is left.
  ~simulation();

  // -- what there is ------------------------------------------------------------------------------

  /// The seed that it was made with.
  [[nodiscard]] std::uint64_t seed() const noexcept {
    return seed_;
  }

  [[nodiscard]] caf::actor_system& system() noexcept {
    return *system_;
  }

  /// Starts a node with the options of the configuration, but ids of its own.
  node& add_node();

  /// Starts a node with options of the caller's; a seed of 0 is replaced, and so are a store's size
  /// of 0 and an amount of memory to fault in that is left out.
  node& add_node(node_options options);

  /// Options as `add_node` takes them: those of the configuration.
  [[nodiscard]] node_options default_options() const;

  /// Shuts `node` down and destroys it; nodes that it was connected to know that it left. Throws
  /// `object_error` (`invalid_argument`) for one that is not of this simulation, as does everything
  /// below that is given a node.
  void remove_node(node& node);

  /// Starts an actor that belongs to a node: `crash` and `remove_node` end it. Otherwise it is
  /// like one that the actor system spawns, with these arguments.
  template <class F, class... Ts>
  auto spawn_on(node& home, F&& f, Ts&&... arguments) {
    require_mine(home);
    auto result = system().spawn(std::forward<F>(f), std::forward<Ts>(arguments)...);
    residents_[&home].push_back(result.address());
    return result;
  }

  /// The same for an actor that is a class.
  template <class Actor, class... Ts>
  auto spawn_on(node& home, Ts&&... arguments) {
    require_mine(home);
    auto result = system().spawn<Actor>(std::forward<Ts>(arguments)...);
    residents_[&home].push_back(result.address());
    return result;
  }

  /// The source of all random choices.
  [[nodiscard]] std::mt19937_64& random() noexcept {
    return random_;
  }

  // -- several nodes ------------------------------------------------------------------------------

  // Nodes of a simulation share nothing but what is sent between them. References get from one to
  // another in messages that are really written to bytes and read again; each direction between two
  // nodes keeps its messages in order, and delivers them when the scheduler, or the seed, says so.

  /// Connects two nodes: they are members of one cluster now. Does nothing if they are connected.
  /// Throws `object_error` (`invalid_argument`) for twice the same.
  void connect(node& one, node& other);

  /// Connects each two nodes that there are.
  void connect_all();

  /// Returns a handle through which actors of the node `from` send to an actor of the node `to`,
  /// and get its answers. It uses the connection that there is when a message is sent: without one
  /// the message is lost, and a request answered with an error. References in messages must be of
  /// `from`. Monitors and links see only the handle, which never dies.
  [[nodiscard]] caf::actor remote(node& from, node& to, const caf::actor& target);

  /// The same for a typed actor.
  template <class... Signatures>
  [[nodiscard]] caf::typed_actor<Signatures...>
  remote(node& from, node& to, const caf::typed_actor<Signatures...>& target) {
    return caf::actor_cast<caf::typed_actor<Signatures...>>(
      remote(from, to, caf::actor_cast<caf::actor>(target)));
  }

  /// Ends the connection of two nodes: of what is under way, the seed chooses what still arrives,
  /// and when each side learns of the loss. They find each other again only by `heal`.
  void cut(node& one, node& other);

  /// Connects two nodes that were cut: a new session.
  void heal(node& one, node& other);

  /// Ends a node without a farewell, and destroys it. What is under way to it is lost; of what
  /// comes from it the seed chooses how much. Actors that `spawn_on` started there end at once; the
  /// test ends others that belong to it, before or after. Their references are worth nothing.
  void crash(node& node);

  /// From now on, one of so many chunks of values that go from node to node, as the seed chooses,
  /// breaks its connection in the middle; what is missing is asked for again. 0: none.
  void break_transfers(std::uint64_t one_of);

  /// From now on nobody reaches the data port of `hidden`, as if a firewall stood before it: its
  /// values come with messages.
  void hide_port(node& hidden);

  /// Why messages between nodes could not be written or read, in order: CAF loses such messages
  /// with no more than a line in its log.
  [[nodiscard]] std::vector<error_info> lost_messages() const;

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

  /// Moves the clock, at most to the end of time; timers that are due send their messages. Runs no
  /// actor. Throws `object_error` (`invalid_argument`) for a negative time.
  void advance(time_span time);

  /// The time on the simulation's clock.
  [[nodiscard]] caf_clock::time_point now() const;

  /// Timers that are set.
  [[nodiscard]] std::size_t timers() const;

  // -- checking -----------------------------------------------------------------------------------

  /// Runs until idle, then returns a description of all that is left on any node: each object, with
  /// its id, its type, where it was made and who refers to it, and those figures that are not zero
  /// (entries, references, bytes in memory and on disk, waiting readers, what nodes hold of each
  /// other, timers). Empty: nothing is left. With several nodes, it first lets the time pass that
  /// they give messages and lost nodes, if any of them has such a timer.
  [[nodiscard]] std::string leftovers();

  /// Runs until idle, then asks each table of each node to recompute its sums. Aborts the process
  /// if one is wrong, as invariants do everywhere.
  void check_invariants();

private:
  [[nodiscard]] simulation_scheduler& scheduler() const;
  [[nodiscard]] simulated_network& network();
  void require_mine(const node& given) const;
  void let_timers_of_nodes_pass();
  void end_residents(const node& home);

  std::uint64_t seed_;
  std::mt19937_64 random_;
  std::unique_ptr<config> settings_;
  std::unique_ptr<caf::actor_system> system_;
  std::unique_ptr<simulated_network> network_; ///< null until there are several nodes
  std::deque<std::unique_ptr<node>> nodes_;
  std::map<const node*, std::vector<caf::actor_addr>> residents_; ///< started by `spawn_on`
};

/// Calls `body(simulation&)` for `count` seeds from `first` on. Prints the seed of a run that
/// throws or leaves something behind, and how to run it alone, before it passes the exception on.
/// The environment variables `MOBULA_SEEDS` (number of seeds) and `MOBULA_SEED` (one seed) override
/// the numbers.
///
/// Where this header comes after that of doctest, Catch2 or GoogleTest, the checks that fail in
/// `body` say the seed, too, though they throw nothing.
void for_each_seed(std::uint64_t first, std::uint64_t count,
                   const std::function<void(simulation&)>& body);

/// The same with a configuration of the caller's for each simulation, to add message types, say.
void for_each_seed(std::uint64_t first, std::uint64_t count,
                   const std::function<std::unique_ptr<config>()>& make_settings,
                   const std::function<void(simulation&)>& body);

} // namespace mobula::testing

// What a test framework calls text that it shows with each failure of a scope.
#if defined(DOCTEST_INFO)
#define MOBULA_SHOW_WITH_FAILURES(text) DOCTEST_INFO(text)
#define MOBULA_FRAMEWORK shown_by_doctest
#elif defined(CATCH_VERSION_MAJOR) && defined(INFO)
#define MOBULA_SHOW_WITH_FAILURES(text) INFO(text)
#define MOBULA_FRAMEWORK shown_by_catch
#elif defined(SCOPED_TRACE)
#define MOBULA_SHOW_WITH_FAILURES(text) SCOPED_TRACE(text)
#define MOBULA_FRAMEWORK shown_by_googletest
#endif

#ifdef MOBULA_SHOW_WITH_FAILURES

namespace mobula::testing {

/// Named for the framework: sources of one program may have different ones.
inline namespace MOBULA_FRAMEWORK {

/// Adapts a body to `for_each_seed`, so that failing checks say the seed.
template <class Body>
std::function<void(simulation&)> show_seed(Body& body) {
  return [&body](simulation& sim) {
    auto seed = "MOBULA_SEED=" + std::to_string(sim.seed()) + " runs this alone";
    MOBULA_SHOW_WITH_FAILURES(seed);
    body(sim);
  };
}

template <class Body>
  requires std::is_invocable_v<Body&, simulation&>
void for_each_seed(std::uint64_t first, std::uint64_t count, Body&& body) {
  // As the very type that the library's own takes, which is meant here.
  const auto shown = show_seed(body);
  testing::for_each_seed(first, count, shown);
}

template <class Settings, class Body>
  requires std::is_invocable_v<Settings&> && std::is_invocable_v<Body&, simulation&>
void for_each_seed(std::uint64_t first, std::uint64_t count, Settings&& settings, Body&& body) {
  const std::function<std::unique_ptr<config>()> make_settings{settings};
  const auto shown = show_seed(body);
  testing::for_each_seed(first, count, make_settings, shown);
}

} // namespace MOBULA_FRAMEWORK

} // namespace mobula::testing

#endif

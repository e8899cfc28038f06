// Cases of simulated clusters: how many messages one core handles in a second, and how many
// messages a borrow takes.

#include "cases.hpp"

#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "../protocol/references/large_cluster.hpp"
#include "../protocol/references/random_workload.hpp"
#include "manual_timing.hpp"
#include "mobula/get.hpp"
#include "mobula/message.hpp"
#include "mobula/testing.hpp"

namespace mobula::bench {

/// References that an actor lends another one.
struct loan {
  std::vector<ObjectRef<std::string>> refs;
};
MOBULA_MESSAGE(loan, refs)

namespace {

constexpr double wanted_a_second = 200'000;

/// Lets `run` say how many messages it took, and reports how many a second that are.
template <class F>
void report_rate(benchmark::State& state, F run) {
  double messages = 0;
  double seconds = 0;
  for (auto _ : state)
    seconds += seconds_of([&] { messages += static_cast<double>(run()); });
  state.counters[measured_counter] = messages / seconds;
}

// -- whole nodes ----------------------------------------------------------------------------------

std::unique_ptr<config> settings_of_simulation() {
  auto result = std::make_unique<config>();
  result->set("mobula.store-size", std::string{"16MiB"});
  // A value is asked for: more of the protocol.
  result->set("mobula.piggyback", std::string{"0"});
  add_messages<loan>(*result);
  return result;
}

/// Nodes in one thread whose actors lend each other new objects, read what they are lent, and let
/// go of it.
class lenders {
public:
  lenders() {
    for (std::size_t count = 0; count < node_count; ++count)
      nodes_.push_back(&sim_.add_node());
    sim_.connect_all();
    for (std::size_t count = 0; count < node_count; ++count)
      actors_.push_back(sim_.system().spawn(borrower));
    for (auto* from : nodes_)
      for (std::size_t to = 0; to < node_count; ++to)
        if (from != nodes_[to])
          ways_.push_back({from, sim_.remote(*from, *nodes_[to], actors_[to])});
    sim_.run();
  }

  lenders(const lenders&) = delete;
  lenders& operator=(const lenders&) = delete;

  ~lenders() {
    for (const auto& actor : actors_)
      caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  }

  /// Each lends something to each. Returns the number of messages that actors handled.
  std::size_t run_round() {
    for (const auto& [from, receiver] : ways_) {
      loan message;
      for (int count = 0; count < refs_a_loan; ++count)
        message.refs.push_back(from->put("text"));
      caf::anon_send(receiver, std::move(message));
    }
    return sim_.run();
  }

private:
  static constexpr std::size_t node_count = 4;
  static constexpr int refs_a_loan = 4;

  struct way {
    mobula::node* from;
    caf::actor receiver;
  };

  static caf::behavior borrower(caf::event_based_actor* self) {
    return {
      [self](const loan& message) {
        mobula::get_all(self, message.refs).then([](const outcomes<std::string>& values) {
          benchmark::DoNotOptimize(values.data());
        });
      },
    };
  }

  testing::simulation sim_{1, settings_of_simulation()};
  std::vector<mobula::node*> nodes_;
  std::vector<caf::actor> actors_;
  std::vector<way> ways_;
};

void simulate_nodes(benchmark::State& state) {
  lenders cluster;
  report_rate(state, [&] { return cluster.run_round(); });
}

/// CAF's coordinator for tests with nothing else to do than to deliver.
void simulate_plain_actors(benchmark::State& state) {
  testing::simulation sim;
  auto target = sim.system().spawn([](caf::event_based_actor*) {
    return caf::behavior{[](std::int64_t number) {
      benchmark::DoNotOptimize(number);
    }};
  });
  report_rate(state, [&] {
    for (std::int64_t number = 0; number < 1'000; ++number)
      caf::anon_send(target, number);
    return sim.run();
  });
  caf::anon_send_exit(target, caf::exit_reason::user_shutdown);
}

// -- the protocol alone ---------------------------------------------------------------------------

void simulate_protocol(benchmark::State& state) {
  std::uint64_t seed = 0;
  report_rate(state, [&] {
    test::coverage seen;
    if (auto outcome = test::run(test::make_workload(++seed), seen); !outcome.failure.empty())
      state.SkipWithError(outcome.failure.c_str());
    return seen.messages;
  });
}

/// What any simulation has at its heart.
void queue_events(benchmark::State& state) {
  test::random_source random{1};
  std::priority_queue<std::uint64_t> events;
  for (int count = 0; count < 1'000; ++count)
    events.push(random.next());
  report_rate(state, [&] {
    constexpr std::size_t count = 1'000;
    for (std::size_t i = 0; i < count; ++i) {
      benchmark::DoNotOptimize(events.top());
      events.pop();
      events.push(random.next());
    }
    return count;
  });
}

/// A number that is no measurement: the same in each run.
side counts_messages(std::size_t nodes) {
  return [nodes](benchmark::State& state) {
    std::uint64_t messages = 0;
    for (auto _ : state)
      messages = test::messages_a_borrow(nodes);
    state.counters[measured_counter] = static_cast<double>(messages);
  };
}

comparison borrow_case(std::size_t nodes) {
  constexpr std::size_t fewest_nodes = 2;
  return {.name = "messages_a_borrow/" + std::to_string(nodes),
          .unit = unit::messages,
          .measured = counts_messages(nodes),
          .baseline = "the same among 2 nodes",
          .reference = counts_messages(fewest_nodes),
          .budget = budget{budget::subject::ratio, budget::bound::at_most, 1},
          .iterations = 1};
}

} // namespace

void add_simulation_cases(std::vector<comparison>& cases) {
  const budget fast{budget::subject::value, budget::bound::at_least, wanted_a_second};
  cases.push_back({.name = "simulation/nodes",
                   .unit = unit::per_second,
                   .measured = simulate_nodes,
                   .baseline = "plain messages to one actor under the same scheduler",
                   .reference = simulate_plain_actors,
                   .budget = fast});
  cases.push_back({.name = "simulation/protocol",
                   .unit = unit::per_second,
                   .measured = simulate_protocol,
                   .baseline = "std::priority_queue of 1,000 events, pop and push",
                   .reference = queue_events,
                   .budget = fast});
  for (std::size_t nodes : {2, 10, 100, 1'000})
    cases.push_back(borrow_case(nodes));
}

} // namespace mobula::bench

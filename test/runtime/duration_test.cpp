// What every public function makes of the lengths of time at the ends of their range.

#include "one_node.hpp"

#include <limits>

#include <mobula/actors/time/deadline_queue.hpp>

using namespace mobula;
using namespace std::literals;

namespace {

/// All of these mean "as long as it takes".
const std::vector<time_span> endless{
  std::chrono::nanoseconds::max(),
  std::chrono::milliseconds::max(),
  std::chrono::hours::max(),
  std::chrono::duration<double>{std::numeric_limits<double>::infinity()},
  std::chrono::duration<std::uint64_t>{std::numeric_limits<std::uint64_t>::max()},
};

/// All of these are refused.
const std::vector<time_span> negative{
  std::chrono::nanoseconds::min(),
  std::chrono::hours::min(),
  -1ns,
  std::chrono::duration<double>{std::numeric_limits<double>::quiet_NaN()},
};

/// Two nodes of a cluster.
struct two_nodes {
  testing::simulation sim;
  mobula::node& home = sim.add_node();
  mobula::node& away = sim.add_node();

  two_nodes() {
    sim.connect_all();
    sim.run();
  }
};

/// A node with an object that is set after some time.
struct late_object : one_node {
  promise<int> late = node.make_promise<int>();
  ObjectRef<int> ref = late.ref();
  std::vector<ObjectRef<int>> refs{ref};

  /// Has the object set when an hour has passed.
  void set_in_an_hour() {
    auto setter = sim.system().spawn([this](caf::event_based_actor* self) {
      return caf::behavior{[this, self](int value) {
        late.set_value(value);
        self->quit();
      }};
    });
    caf::delayed_anon_send(setter, 1h, 7);
  }

  /// Runs what an actor starts by `request`, until nothing is left to do. Returns what it got.
  template <class Request>
  std::string actor_gets(Request request) {
    std::string result;
    auto actor = sim.system().spawn([&](caf::event_based_actor* self) {
      try {
        request(self, result);
      } catch (const object_error& error) {
        result = to_string(error.type());
      }
    });
    while (result.empty() && (sim.run() > 0 || sim.timers() > 0))
      sim.advance(10min);
    return result;
  }
};

} // namespace

TEST_CASE("a time that is longer than nanoseconds can say is the longest, below zero the lowest") {
  for (auto span : endless)
    CHECK(span == std::chrono::nanoseconds::max());
  CHECK(time_span{std::chrono::hours::min()} == std::chrono::nanoseconds::min());
  CHECK(time_span{1h} == 3600s);
  CHECK(time_span{-1h} == -3600s);
  CHECK(time_span{1.5s} == 1500ms);
}

TEST_CASE("the end of an endless time never comes") {
  caf_clock::time_point now{1s};
  constexpr auto never = caf_clock::time_point::max();
  for (auto span : endless)
    CHECK(deadline_after(now, span) == never);
  CHECK(deadline_after(now, never - now - 1ns) == never - 1ns);
  CHECK(deadline_after(now, 0s) == now);
}

TEST_CASE("a blocking get with an endless limit waits as long as it takes") {
  for (auto limit : endless) {
    late_object object;
    object.set_in_an_hour();
    CHECK(*object.node.get(object.ref, limit) == 7);
  }
}

TEST_CASE("the other blocking readers with an endless limit wait as long as it takes") {
  for (auto limit : endless) {
    late_object object;
    object.set_in_an_hour();
    CHECK(object.node.wait(object.refs, 1, limit).ready.size() == 1);
    CHECK(object.node.get_all(object.refs, limit).front().has_value());
    CHECK(static_cast<bool>(object.node.try_get(object.ref, limit)));
  }
}

TEST_CASE_FIXTURE(late_object, "blocking readers with a limit of zero look once") {
  CHECK(error_of([&] { node.get(ref, 0h); }) == error_type::get_timed_out);
  CHECK_FALSE(static_cast<bool>(node.try_get(ref, 0s)));
  CHECK(node.get_all(refs, 0s).front().pending());
  CHECK(node.wait(refs, 1, 0s).ready.empty());
}

TEST_CASE_FIXTURE(late_object, "blocking readers refuse negative limits") {
  for (auto limit : negative) {
    CHECK(error_of([&] { node.get(ref, limit); }) == error_type::invalid_argument);
    CHECK(error_of([&] { static_cast<void>(node.try_get(ref, limit)); })
          == error_type::invalid_argument);
    CHECK(error_of([&] { node.get_all(refs, limit); }) == error_type::invalid_argument);
    CHECK(error_of([&] { node.wait(refs, 1, limit); }) == error_type::invalid_argument);
  }
}

TEST_CASE_FIXTURE(late_object, "blocking readers refuse a negative limit also for what is there") {
  auto there = node.put(1);
  CHECK(error_of([&] { node.get(there, -1ns); }) == error_type::invalid_argument);
  CHECK(error_of([&] { node.get_all(std::vector{there}, -1ns); }) == error_type::invalid_argument);
  CHECK(error_of([&] { node.wait(std::vector{there}, 1, -1ns); }) == error_type::invalid_argument);
}

TEST_CASE("an actor's get with an endless limit waits as long as it takes") {
  for (auto limit : endless) {
    late_object object;
    object.set_in_an_hour();
    CHECK(object.actor_gets([&](caf::event_based_actor* self, std::string& got) {
      mobula::get(self, object.ref, limit)
        .then([&](const view<int>& value) { got = std::to_string(*value); },
              [&](caf::error& error) { got = to_error_info(error).message; });
    }) == "7");
  }
}

TEST_CASE("an actor's get_all and wait with an endless limit wait as long as it takes") {
  for (auto limit : endless) {
    late_object object;
    object.set_in_an_hour();
    CHECK(object.actor_gets([&](caf::event_based_actor* self, std::string& got) {
      mobula::get_all(self, object.refs, limit).then([&, self](const outcomes<int>& all) {
        mobula::wait(self, object.refs, 1, limit)
          .then([&, value = *all.front()](const wait_result<int>& split) {
            got = std::to_string(value + static_cast<int>(split.ready.size()));
          });
      });
    }) == "8");
  }
}

TEST_CASE("an actor's readers refuse negative limits") {
  for (auto limit : negative) {
    late_object object;
    auto refuses = [&](auto request) {
      CHECK(object.actor_gets([&](caf::event_based_actor* self, std::string&) { request(self); })
            == to_string(error_type::invalid_argument));
    };
    refuses([&](auto* self) { mobula::get(self, object.ref, limit).then([](const auto&) {}); });
    refuses(
      [&](auto* self) { mobula::get_all(self, object.refs, limit).then([](const auto&) {}); });
    refuses(
      [&](auto* self) { mobula::wait(self, object.refs, 1, limit).then([](const auto&) {}); });
  }
}

TEST_CASE("a lookup with an endless limit waits until it hears of the name") {
  for (auto limit : endless) {
    two_nodes nodes;
    nodes.away.publish("late", nodes.away.put(7));
    CHECK(*nodes.home.get(nodes.home.lookup<int>("late", limit)) == 7);
    // It never ends by itself.
    CHECK(error_of([&] { static_cast<void>(nodes.home.lookup<int>("none", limit)); })
          == error_type::would_block_forever);
  }
}

TEST_CASE_FIXTURE(two_nodes, "a lookup refuses negative limits") {
  for (auto limit : negative) {
    CHECK(error_of([&] { static_cast<void>(home.lookup<int>("none", limit)); })
          == error_type::invalid_argument);
    CHECK(error_of([&] { static_cast<void>(home.lookup_actor("none", limit)); })
          == error_type::invalid_argument);
  }
  CHECK(error_of([&] { static_cast<void>(home.lookup<int>("none", 0s)); })
        == error_type::name_not_found);
}

TEST_CASE("a drain with an endless limit ends when the others have answered") {
  for (auto limit : endless) {
    two_nodes nodes;
    CHECK(nodes.home.drain(limit).lost == 0);
  }
}

TEST_CASE_FIXTURE(two_nodes, "a drain refuses negative limits") {
  for (auto limit : negative)
    CHECK(error_of([&] { home.drain(limit); }) == error_type::invalid_argument);
}

TEST_CASE("a node's times may be endless, but not negative") {
  auto fields = {&node_options::full_timeout, &node_options::transit_lease,
                 &node_options::grace_period, &node_options::drain_timeout};
  for (auto field : fields) {
    node_options options;
    for (auto time : endless) {
      options.*field = time;
      CHECK_NOTHROW(require_valid(options));
    }
    for (auto time : negative) {
      options.*field = time;
      CHECK(error_of([&] { require_valid(options); }) == error_type::invalid_argument);
    }
  }
}

TEST_CASE("a put with an endless time-out waits for space as long as it takes") {
  testing::simulation sim;
  auto options = sim.default_options();
  options.store_size_bytes = 4 << 20;
  options.shards = 1;
  options.full_timeout = std::chrono::hours::max();
  auto& node = sim.add_node(options);
  std::vector<ObjectRef<std::string>> held;
  for (int count = 0; count < 8; ++count)
    held.push_back(node.put(std::string(500'000, 'x')));
  auto dropper = sim.system().spawn([&](caf::event_based_actor* self) {
    return caf::behavior{[&, self](int) {
      held.clear();
      self->quit();
    }};
  });
  caf::delayed_anon_send(dropper, 24h, 0);
  CHECK(node.get(node.put(std::string(500'000, 'y')))->front() == 'y');
}

TEST_CASE("a simulation's clock stops at the end of time and never goes back") {
  testing::simulation sim;
  CHECK(error_of([&] { sim.advance(-1ns); }) == error_type::invalid_argument);
  sim.advance(std::chrono::hours::max());
  CHECK(sim.now() == caf_clock::time_point::max());
  sim.advance(1h);
  CHECK(sim.now() == caf_clock::time_point::max());
}

// What ends, and how, when a node shuts down while others put, read, wait or hold on to what was
// its.

#include "one_node.hpp"

#include <filesystem>
#include <future>
#include <new>
#include <optional>
#include <stdexcept>
#include <thread>

#include "mobula/serialization/codec_error.hpp"

using namespace mobula;
using namespace std::literals;

namespace {

struct long_named {
  int number = 0;
};

} // namespace

template <>
struct mobula::type_name_of<long_named> {
  static std::string value() {
    return std::string((64 << 10) + 1, 'x');
  }
};

namespace {

/// A node on real threads.
struct threaded_node {
  config settings;
  caf::actor_system system{settings};
  mobula::node node{system};
};

} // namespace

TEST_CASE("after shutdown nothing new is taken") {
  testing::simulation sim;
  auto& node = sim.add_node();
  auto ref = node.put(1);
  auto promise = node.make_promise<int>();
  node.shutdown();
  CHECK(error_of([&] { static_cast<void>(node.put(2)); }) == error_type::shutting_down);
  CHECK(error_of([&] { static_cast<void>(node.create<bytes>(9)); }) == error_type::shutting_down);
  CHECK(error_of([&] { static_cast<void>(node.make_promise<int>()); })
        == error_type::shutting_down);
  CHECK(error_of([&] { node.get(promise.ref()); }) == error_type::shutting_down);
  CHECK(*node.get(ref) == 1);
}

TEST_CASE("shutdown may be called twice") {
  testing::simulation sim;
  auto& node = sim.add_node();
  node.shutdown();
  node.shutdown();
  CHECK(node.stats().nothing_left());
}

TEST_CASE("a wait returns what can never be ready once its node has shut down") {
  testing::simulation sim;
  auto& node = sim.add_node();
  auto promise = node.make_promise<int>();
  std::vector refs{promise.ref(), promise.ref()};
  std::size_t ready = 0;
  sim.system().spawn([&](caf::event_based_actor* self) {
    wait(self, refs, 1).then([&](const wait_result<int>& done) { ready = done.ready.size(); });
  });
  sim.run();
  node.shutdown();
  sim.run();
  CHECK(ready == 1);
  CHECK(node.wait(refs, 2).ready.size() == 2);
}

TEST_CASE("a batch of two nodes waits for the one that runs when the other has shut down") {
  testing::simulation sim;
  auto& closing = sim.add_node();
  auto& open = sim.add_node();
  auto lost = closing.make_promise<int>();
  auto kept = open.make_promise<int>();
  outcomes<int> results;
  sim.system().spawn([&](caf::event_based_actor* self) {
    get_all(self, std::vector{lost.ref(), kept.ref()}).then([&](const outcomes<int>& all) {
      results = all;
    });
  });
  sim.run();
  closing.shutdown();
  sim.run();
  CHECK(results.empty());
  kept.set_value(7);
  sim.run();
  REQUIRE(results.size() == 2);
  CHECK(results[0].error().type == error_type::shutting_down);
  CHECK(*results[1] == 7);
}

TEST_CASE("a batch of two nodes keeps its limit when the node of the first has shut down") {
  testing::simulation sim;
  auto& closing = sim.add_node();
  auto& open = sim.add_node();
  auto lost = closing.make_promise<int>();
  auto pending = open.make_promise<int>();
  closing.shutdown();
  auto all = open.get_all(std::vector{lost.ref(), pending.ref()}, 500ms);
  CHECK(all[0].error().type == error_type::shutting_down);
  CHECK_FALSE(all[1].has_value());
  CHECK_FALSE(all[1].has_error());
  auto waited = open.wait(std::vector{lost.ref(), pending.ref()}, 2, 500ms);
  CHECK(waited.ready.size() == 1);
}

TEST_CASE("an actor's pending read ends with shutting_down") {
  testing::simulation sim;
  auto& node = sim.add_node();
  auto promise = node.make_promise<int>();
  auto seen = error_type::worker_died;
  auto reader = sim.system().spawn([&](caf::event_based_actor* self) {
    get(self, promise.ref())
      .then([](const view<int>&) { FAIL("there is no value"); },
            [&](caf::error& error) { seen = to_error_info(error).type; });
    return caf::behavior{[](int) {
    }};
  });
  sim.run();
  node.shutdown();
  sim.run();
  CHECK(seen == error_type::shutting_down);
}

TEST_CASE("a promise may be set and dropped after its node") {
  std::optional<promise<int>> small;
  std::optional<promise<std::string>> large;
  std::optional<promise<int>> broken;
  {
    testing::simulation sim;
    auto& node = sim.add_node();
    small = node.make_promise<int>();
    large = node.make_promise<std::string>();
    broken = node.make_promise<int>();
  }
  small->set_value(1);
  large->set_value(std::string(300'000, 'x'));
  CHECK(small->ref().ready());
}

TEST_CASE("a builder may be dropped after its node") {
  testing::simulation sim;
  auto& node = sim.add_node();
  auto builder = node.create<array<double>>(1'000'000);
  node.shutdown();
  CHECK(error_of([&] { static_cast<void>(builder.seal()); }) == error_type::shutting_down);
}

TEST_CASE("ten thousand pending gets end when the node shuts down") {
  threaded_node threaded;
  std::vector<promise<int>> promises;
  std::vector<ObjectRef<int>> refs;
  for (int count = 0; count < 10'000; ++count) {
    promises.push_back(threaded.node.make_promise<int>());
    refs.push_back(promises.back().ref());
  }
  std::vector<std::thread> readers;
  std::atomic<int> ended = 0;
  for (int part = 0; part < 4; ++part)
    readers.emplace_back([&] {
      for (const auto& result : threaded.node.get_all(refs))
        if (result.has_error() && result.error().type == error_type::shutting_down)
          ++ended;
    });
  while (threaded.node.stats().waiting_gets < 40'000)
    std::this_thread::yield();
  threaded.node.shutdown();
  for (auto& reader : readers)
    reader.join();
  CHECK(ended == 40'000);
}

TEST_CASE("two threads may shut a node down at once") {
  threaded_node threaded;
  auto refs = std::vector{threaded.node.put(std::string(200'000, 'x')), threaded.node.put("small")};
  std::thread first{[&] {
    threaded.node.shutdown();
  }};
  std::thread second{[&] {
    threaded.node.shutdown();
  }};
  first.join();
  second.join();
  CHECK(error_of([&] { static_cast<void>(threaded.node.put(1)); }) == error_type::shutting_down);
}

TEST_CASE("an actor system ends though references and views outlive it") {
  ObjectRef<int> ref;
  std::optional<view<std::string>> text;
  {
    threaded_node one;
    REQUIRE(stock_of_heap(one.node.core().options()).max_bytes > 0);
    ref = one.node.put(1);
    text = one.node.get(one.node.put(std::string(1'000'000, 'x')));
  }
  CHECK_FALSE(ref.empty());
  CHECK((*text)->size() == 1'000'000);
}

TEST_CASE("threads that put, get and drop while a node shuts down end in values or errors") {
  for (int round = 0; round < 20; ++round) {
    threaded_node threaded;
    std::atomic<bool> stop = false;
    std::vector<std::thread> users;
    for (int user = 0; user < 3; ++user)
      users.emplace_back([&, user] {
        try {
          while (!stop) {
            // Not within a check: the test framework would catch what is thrown.
            auto size =
              threaded.node.get(threaded.node.put(std::string(user * 90'000, 'x')))->size();
            CHECK(size == static_cast<std::size_t>(user) * 90'000);
          }
        } catch (const object_error& error) {
          CHECK(error.type() == error_type::shutting_down);
        }
      });
    std::this_thread::yield();
    threaded.node.shutdown();
    stop = true;
    for (auto& user : users)
      user.join();
  }
}

TEST_CASE("a service that does not stop is left behind after a while") {
  testing::simulation sim;
  auto& node = sim.add_node();
  node.core().service_started(service_kind::owner);
  auto began = sim.now();
  node.shutdown();
  CHECK(node.core().services_gone());
  CHECK(sim.now() - began == 10s);
  CHECK_FALSE(std::filesystem::exists(node.core().arena().path()));
}

TEST_CASE_FIXTURE(one_node, "nobody waits for a service that could not be started") {
  CHECK_THROWS_AS(
    node.core().start_counted(service_kind::spill_worker, []() -> int { throw std::bad_alloc{}; }),
    std::bad_alloc);
  auto began = sim.now();
  node.shutdown();
  CHECK(sim.now() == began);
}

TEST_CASE_FIXTURE(one_node, "a port that was being opened when its node shut down is closed") {
  node.shutdown();
  auto closed = false;
  node.core().set_port_closer([&](port_closing) { closed = true; });
  CHECK(closed);
}

TEST_CASE_FIXTURE(one_node, "a shutdown that throws leaves the rest to the next one") {
  node.core().set_port_closer([](port_closing) { throw std::runtime_error{"no"}; });
  CHECK_THROWS_AS(node.shutdown(), std::runtime_error);
  node.shutdown();
  CHECK(node.core().services_gone());
}

TEST_CASE("who waits for a shutdown that throws goes on with it") {
  threaded_node threaded;
  std::promise<void> entered;
  std::promise<void> released;
  threaded.node.core().set_port_closer([&](port_closing) {
    entered.set_value();
    released.get_future().wait();
    throw std::runtime_error{"no"};
  });
  std::thread first{[&] {
    CHECK_THROWS_AS(threaded.node.shutdown(), std::runtime_error);
  }};
  entered.get_future().wait();
  std::thread second{[&] {
    threaded.node.shutdown();
  }};
  released.set_value();
  first.join();
  second.join();
  CHECK(threaded.node.core().services_gone());
}

TEST_CASE("an actor that would shut its node down is told not to") {
  threaded_node threaded;
  std::promise<error_type> told;
  threaded.system.spawn(
    [&](caf::event_based_actor*) { told.set_value(error_of([&] { threaded.node.shutdown(); })); });
  CHECK(told.get_future().get() == error_type::invalid_argument);
  CHECK(*threaded.node.get(threaded.node.put(1)) == 1);
}

TEST_CASE("an actor's handler that throws ends that actor alone") {
  one_node nodes;
  auto ref = nodes.node.put(1);
  auto reader = nodes.sim.system().spawn([&](caf::event_based_actor* self) {
    get(self, ref).then([](const view<int>&) { throw std::runtime_error{"no"}; });
    return caf::behavior{[](int) {
    }};
  });
  nodes.sim.run();
  CHECK(*nodes.node.get(ref) == 1);
}

TEST_CASE_FIXTURE(one_node, "a type whose name metadata cannot hold is refused to who puts it") {
  CHECK_THROWS_AS(static_cast<void>(node.put(long_named{})), codec_error);
  CHECK_THROWS_AS(static_cast<void>(node.make_promise<long_named>()), codec_error);
}

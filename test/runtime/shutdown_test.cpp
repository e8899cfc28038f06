#include "one_node.hpp"

#include <thread>

using namespace mobula;
using namespace std::literals;

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

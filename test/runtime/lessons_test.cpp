// Behaviours that users of an earlier object store met; each went wrong there.

#include "one_node.hpp"

#include <atomic>
#include <thread>

using namespace mobula;
using namespace std::literals;

namespace {

std::atomic<bool> decoding = false;
std::atomic<bool> go_on = false;

/// Stops in the middle of being decoded until it is told to go on.
struct slow_to_decode {
  int value = 0;

  template <class Archive>
  void save(Archive& archive) const {
    archive(value);
  }

  template <class Archive>
  void load(Archive& archive) {
    archive(value);
    decoding = true;
    decoding.notify_all();
    go_on.wait(false);
  }
};

} // namespace

TEST_CASE_FIXTURE(one_node, "a batch get tells values from errors from pending, one by one") {
  auto broken = node.make_promise<int>();
  auto open = node.make_promise<int>();
  broken.set_error({.type = error_type::worker_died});
  auto results = node.get_all(std::vector{broken.ref(), node.put(2), open.ref()}, 0s);
  CHECK(results[0].error().type == error_type::worker_died);
  CHECK(*results[1] == 2);
  CHECK(results[2].pending());
}

TEST_CASE_FIXTURE(one_node, "wait neither reads nor decodes what it waits for") {
  auto large = node.put(std::vector<std::string>(10'000, "a text that is longer than most"));
  auto result = node.wait(std::vector{large}, 1);
  CHECK(result.ready.size() == 1);
  CHECK_FALSE(large.entry().copy()->value.has_decoded());
}

TEST_CASE_FIXTURE(one_node, "a get waits as long as a slow producer takes, without polling") {
  auto promise = node.make_promise<int>();
  int seen = 0;
  auto reader = sim.system().spawn([&](caf::event_based_actor* self) {
    get(self, promise.ref()).then([&](const view<int>& value) { seen = *value; });
    return caf::behavior{[](int) {
    }};
  });
  sim.run();
  sim.advance(300s);
  CHECK(sim.idle());
  CHECK(sim.timers() == 0);
  promise.set_value(1);
  sim.run();
  CHECK(seen == 1);
}

TEST_CASE_FIXTURE(one_node, "an int32 cannot be read as a uint64") {
  ObjectRef<void> number = node.put(std::int32_t{-1});
  CHECK(error_of([&] { static_cast<void>(number.as<std::uint64_t>()); })
        == error_type::type_mismatch);
}

TEST_CASE_FIXTURE(one_node, "readers of a failed object are told at once, however many") {
  auto promise = node.make_promise<int>();
  std::vector<error_type> seen;
  auto reader = sim.system().spawn([&](caf::event_based_actor* self) {
    for (int count = 0; count < 100; ++count)
      get(self, promise.ref())
        .then([](const view<int>&) {},
              [&](caf::error& error) { seen.push_back(to_error_info(error).type); });
    return caf::behavior{[](int) {
    }};
  });
  sim.run();
  promise.set_error({.type = error_type::task_execution_exception});
  sim.run();
  CHECK(seen == std::vector(100, error_type::task_execution_exception));
}

TEST_CASE_FIXTURE(one_node, "a result that the store rejects is an error, not silence") {
  auto promise = node.make_promise<std::string>();
  auto ref = promise.ref();
  promise.set_value(std::string(node.options().store_size_bytes + 1, 'x'));
  CHECK(error_of([&] { node.get(ref); }) == error_type::store_full);
}

TEST_CASE_FIXTURE(one_node, "a thousand dropped promises leave nothing behind") {
  for (int count = 0; count < 1000; ++count)
    static_cast<void>(node.make_promise<int>());
}

TEST_CASE_FIXTURE(one_node, "an actor that fails breaks its promise, and readers are told why") {
  auto ref = [&] {
    auto promise = std::make_shared<mobula::promise<int>>(node.make_promise<int>());
    auto result = promise->ref();
    auto worker = sim.system().spawn([promise](caf::event_based_actor*) mutable {
      return caf::behavior{[promise](int) {
        throw std::runtime_error("panic");
      }};
    });
    caf::anon_send(worker, 1);
    return result;
  }();
  sim.run();
  CHECK(error_of([&] { node.get(ref); }) == error_type::promise_broken);
}

TEST_CASE_FIXTURE(one_node, "an object with a reference stays, whatever else is put") {
  auto held = node.put(std::string(200'000, 'h'));
  for (int count = 0; count < 500; ++count)
    static_cast<void>(node.put(std::string(200'000, 'x')));
  CHECK(node.get(held)->front() == 'h');
}

TEST_CASE_FIXTURE(one_node, "pinned and unpinned bytes together never exceed the limit") {
  std::vector<view<std::string>> views;
  std::vector<ObjectRef<std::string>> refs;
  try {
    for (;;) {
      refs.push_back(node.put(std::string(300'000, 'x')));
      if (refs.size() % 2 == 0)
        views.push_back(node.get(refs.back()));
      auto stats = node.stats();
      CHECK(stats.resident.bytes + stats.reserved_bytes + stats.lent_bytes
            <= node.options().store_size_bytes);
    }
  } catch (const object_error& error) {
    CHECK(error.type() == error_type::store_full);
  }
  CHECK(refs.size() > 30);
}

TEST_CASE_FIXTURE(one_node, "every error keeps its kind") {
  for (auto type : {error_type::worker_died, error_type::actor_died, error_type::task_cancelled,
                    error_type::out_of_memory, error_type::node_died}) {
    auto promise = node.make_promise<int>();
    promise.set_error({.type = type});
    CHECK(error_of([&] { node.get(promise.ref()); }) == type);
  }
}

TEST_CASE_FIXTURE(one_node, "a value that looks like an error stays a value") {
  auto bytes = encode(error_info{.type = error_type::worker_died, .message = "not really"});
  std::string text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  CHECK(node.get(node.put(text)).copy() == text);
  CHECK(node.get(node.put("__ERROR__oops")).copy() == "__ERROR__oops");
  CHECK(node.get(node.put(bytes)).copy() == bytes);
}

TEST_CASE("three thousand dropped mebibytes leave nothing under a limit of 16") {
  one_node fixture;
  for (int count = 0; count < 3000; ++count)
    static_cast<void>(fixture.node.put(std::string(1 << 20, 'x')));
  CHECK(fixture.node.stats().resident == object_count{});
}

TEST_CASE("a slow decoder holds up no reader of another object") {
  config settings;
  caf::actor_system system{settings};
  node node{system};
  auto blocked = node.put(slow_to_decode{});
  auto other = node.put(std::vector<std::string>{"x"});
  std::thread reader{[&] {
    node.get(blocked);
  }};
  decoding.wait(false);
  CHECK(node.get(other)->size() == 1);
  CHECK(*node.get(node.put(2)) == 2);
  go_on = true;
  go_on.notify_all();
  reader.join();
}

TEST_CASE("shutdown with three thousand waiting readers ends") {
  testing::simulation sim;
  auto& node = sim.add_node();
  auto promise = node.make_promise<int>();
  int ended = 0;
  auto reader = sim.system().spawn([&](caf::event_based_actor* self) {
    for (int count = 0; count < 3000; ++count)
      get(self, promise.ref())
        .then([](const view<int>&) {},
              [&](caf::error& error) {
                CHECK(to_error_info(error).type == error_type::shutting_down);
                ++ended;
              });
    return caf::behavior{[](int) {
    }};
  });
  sim.run();
  node.shutdown();
  sim.run();
  CHECK(ended == 3000);
}

// The examples of docs/testing.md, as they stand there.

#include <doctest/doctest.h>

#include <mobula/mobula.hpp>
#include <mobula/testing.hpp>

TEST_CASE("a reader gets what a writer put") {
  mobula::testing::simulation sim;
  auto& node = sim.add_node();
  int seen = 0;
  auto reader = sim.system().spawn([&](caf::event_based_actor* self) {
    mobula::get(self, node.put(42)).then([&](const mobula::view<int>& value) { seen = *value; });
    return caf::behavior{[](int) {
    }};
  });
  sim.run();
  CHECK(seen == 42);
  reader = nullptr;
  CHECK(sim.leftovers() == "");
}

TEST_CASE("the writer may be slower than the reader") {
  mobula::testing::for_each_seed(1, 1000, [](mobula::testing::simulation& sim) {
    auto& node = sim.add_node();
    int seen = 0;
    auto promise = std::make_shared<mobula::promise<int>>(node.make_promise<int>());
    auto reader = sim.system().spawn([&, ref = promise->ref()](caf::event_based_actor* self) {
      mobula::get(self, ref).then([&](const mobula::view<int>& value) { seen = *value; });
      return caf::behavior{[](int) {
      }};
    });
    auto writer = sim.system().spawn([promise](caf::event_based_actor*) {
      return caf::behavior{[promise](int value) {
        promise->set_value(value);
      }};
    });
    promise.reset();
    caf::anon_send(writer, 7);
    sim.run_randomly();
    CHECK(seen == 7);
  });
}

TEST_CASE("a get gives up after five milliseconds") {
  mobula::testing::simulation sim;
  auto promise = sim.add_node().make_promise<int>();
  auto gave_up = false;
  auto reader = sim.system().spawn([&](caf::event_based_actor* self) {
    mobula::get(self, promise.ref(), std::chrono::milliseconds{5})
      .then([](const mobula::view<int>&) {}, [&](caf::error&) { gave_up = true; });
    return caf::behavior{[](int) {
    }};
  });
  sim.run();
  sim.advance(std::chrono::milliseconds{5});
  sim.run();
  CHECK(gave_up);
}

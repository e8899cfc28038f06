// Actors that read: in later messages, with others in between or not, until a limit, and until the
// actor or the node ends.

#include "mobula/actors/caf/typed_interface.hpp"
#include "one_node.hpp"

using namespace mobula;
using namespace std::literals;

namespace {

/// Starts an actor that runs `body(self)` and waits for messages that never come.
template <class F>
caf::actor run_in_actor(testing::simulation& sim, F body) {
  return sim.system().spawn([body](caf::event_based_actor* self) {
    body(self);
    return caf::behavior{[](int) {
    }};
  });
}

} // namespace

TEST_CASE_FIXTURE(one_node, "an actor reads a ready object in a later message") {
  int seen = 0;
  auto reader = run_in_actor(sim, [&](caf::event_based_actor* self) {
    get(self, node.put(5)).then([&](const view<int>& value) { seen = *value; });
    CHECK(seen == 0);
  });
  sim.run();
  CHECK(seen == 5);
}

TEST_CASE_FIXTURE(one_node, "an actor handles other messages while it waits with then") {
  auto promise = node.make_promise<int>();
  std::vector<std::string> events;
  auto reader = sim.system().spawn([&](caf::event_based_actor* self) {
    get(self, promise.ref()).then([&](const view<int>&) { events.push_back("value"); });
    return caf::behavior{[&](int) {
      events.push_back("message");
    }};
  });
  caf::anon_send(reader, 1);
  sim.run();
  promise.set_value(1);
  sim.run();
  CHECK(events == std::vector<std::string>{"message", "value"});
}

TEST_CASE_FIXTURE(one_node, "an actor holds other messages back while it waits with await") {
  auto promise = node.make_promise<int>();
  std::vector<std::string> events;
  auto reader = sim.system().spawn([&](caf::event_based_actor* self) {
    get(self, promise.ref()).await([&](const view<int>&) { events.push_back("value"); });
    return caf::behavior{[&](int) {
      events.push_back("message");
    }};
  });
  caf::anon_send(reader, 1);
  sim.run();
  promise.set_value(1);
  sim.run();
  CHECK(events == std::vector<std::string>{"value", "message"});
}

TEST_CASE_FIXTURE(one_node, "a typed actor reads like any other") {
  using doubler = caf::typed_actor<caf::replies_to<ObjectRef<int>>::with<int>>;
  auto twice = sim.system().spawn([](doubler::pointer self) {
    return doubler::behavior_type{[self](const ObjectRef<int>& ref) {
      auto promise = self->make_response_promise<int>();
      get(self, ref).then(
        [promise](const view<int>& value) mutable { promise.deliver(2 * *value); });
      return promise;
    }};
  });
  int result = 0;
  auto asker = run_in_actor(sim, [&](caf::event_based_actor* self) {
    self->request(twice, caf::infinite, node.put(21)).then([&](int value) { result = value; });
  });
  sim.run();
  CHECK(result == 42);
}

TEST_CASE_FIXTURE(one_node, "an actor's read times out at the right simulated time, to the tick") {
  auto promise = node.make_promise<int>();
  auto seen = error_type::worker_died;
  auto reader = run_in_actor(sim, [&](caf::event_based_actor* self) {
    get(self, promise.ref(), 10ms)
      .then([](const view<int>&) { FAIL("there is no value"); },
            [&](caf::error& error) { seen = to_error_info(error).type; });
  });
  sim.run();
  sim.advance(10ms - 1ns);
  sim.run();
  CHECK(seen == error_type::worker_died);
  sim.advance(1ns);
  sim.run();
  CHECK(seen == error_type::get_timed_out);
  CHECK(node.stats().waiting_gets == 0);
}

TEST_CASE_FIXTURE(one_node, "a value that comes in time leaves no timer behind") {
  auto promise = node.make_promise<int>();
  int seen = 0;
  auto reader = run_in_actor(sim, [&](caf::event_based_actor* self) {
    get(self, promise.ref(), 10s).then([&](const view<int>& value) { seen = *value; });
  });
  sim.run();
  CHECK(sim.timers() == 1);
  promise.set_value(3);
  sim.run();
  CHECK(seen == 3);
  CHECK(sim.timers() == 0);
}

TEST_CASE_FIXTURE(one_node, "an actor's read with a limit of zero means now") {
  auto promise = node.make_promise<int>();
  auto seen = error_type::worker_died;
  auto reader = run_in_actor(sim, [&](caf::event_based_actor* self) {
    get(self, promise.ref(), 0s)
      .then([](const view<int>&) { FAIL("there is no value"); },
            [&](caf::error& error) { seen = to_error_info(error).type; });
  });
  sim.run();
  CHECK(seen == error_type::get_timed_out);
}

TEST_CASE_FIXTURE(one_node, "an object's own error reaches the reader whole") {
  auto promise = node.make_promise<int>();
  error_info seen;
  auto reader = run_in_actor(sim, [&](caf::event_based_actor* self) {
    get(self, promise.ref())
      .then([](const view<int>&) { FAIL("there is no value"); },
            [&](caf::error& error) { seen = to_error_info(error); });
  });
  error_info sent{.type = error_type::actor_died,
                  .message = "gone",
                  .causes = {{.type = error_type::node_died, .message = "power"}}};
  promise.set_error(sent);
  sim.run();
  CHECK(seen == sent);
}

TEST_CASE_FIXTURE(one_node, "without an error handler an error ends the actor, as in CAF") {
  auto promise = node.make_promise<int>();
  promise.set_error({.type = error_type::actor_died, .message = "gone"});
  error_info seen;
  auto reader = run_in_actor(sim, [&](caf::event_based_actor* self) {
    get(self, promise.ref()).then([](const view<int>&) {});
  });
  auto watcher = run_in_actor(sim, [&](caf::event_based_actor* self) {
    self->monitor(reader);
    self->set_down_handler([&](caf::down_msg& down) { seen = to_error_info(down.reason); });
  });
  sim.run();
  CHECK(seen.type == error_type::actor_died);
  CHECK(seen.message == "gone");
}

TEST_CASE_FIXTURE(one_node, "an actor that ends stops waiting") {
  auto promise = node.make_promise<int>();
  auto reader = run_in_actor(sim, [&](caf::event_based_actor* self) {
    get(self, promise.ref(), 10s).then([](const view<int>&) {});
  });
  sim.run();
  CHECK(node.stats().waiting_gets == 1);
  caf::anon_send_exit(reader, caf::exit_reason::user_shutdown);
  sim.run();
  CHECK(node.stats().waiting_gets == 0);
  CHECK(sim.timers() == 0);
}

TEST_CASE_FIXTURE(one_node, "an actor reads many objects with one answer") {
  auto open = node.make_promise<int>();
  std::vector<ObjectRef<int>> refs{node.put(1), open.ref(), node.put(3)};
  outcomes<int> seen;
  auto reader = run_in_actor(sim, [&](caf::event_based_actor* self) {
    get_all(self, refs).then([&](outcomes<int> results) { seen = std::move(results); });
  });
  sim.run();
  CHECK(seen.empty());
  open.set_value(2);
  sim.run();
  REQUIRE(seen.size() == 3);
  CHECK(*seen[1] == 2);
}

TEST_CASE_FIXTURE(one_node, "an actor's get_all tells what is still pending when time is up") {
  auto open = node.make_promise<int>();
  std::vector<ObjectRef<int>> refs{node.put(1), open.ref()};
  outcomes<int> seen;
  auto reader = run_in_actor(sim, [&](caf::event_based_actor* self) {
    get_all(self, refs, 1s).then([&](outcomes<int> results) { seen = std::move(results); });
  });
  sim.run();
  sim.advance(1s);
  sim.run();
  REQUIRE(seen.size() == 2);
  CHECK(*seen[0] == 1);
  CHECK(seen[1].pending());
}

TEST_CASE_FIXTURE(one_node, "an actor waits for some of many objects") {
  auto first = node.make_promise<int>();
  auto second = node.make_promise<int>();
  std::vector<ObjectRef<int>> refs{first.ref(), second.ref()};
  std::optional<wait_result<int>> seen;
  auto reader = run_in_actor(sim, [&](caf::event_based_actor* self) {
    wait(self, refs, 1).then([&](wait_result<int> result) { seen = std::move(result); });
  });
  sim.run();
  CHECK_FALSE(seen);
  second.set_error({.type = error_type::worker_died});
  sim.run();
  REQUIRE(seen);
  CHECK(seen->ready == std::vector{refs[1]});
  CHECK(seen->pending == std::vector{refs[0]});
}

TEST_CASE_FIXTURE(one_node, "a request for many objects has one handler") {
  auto refused = error_type::worker_died;
  int answers = 0;
  sim.system().spawn([&, ref = node.put(1)](caf::event_based_actor* self) {
    auto request = get_all(self, std::vector{ref, ref});
    auto count = [&](const outcomes<int>&) {
      ++answers;
    };
    request.then(count);
    refused = error_of([&] { request.then(count); });
  });
  sim.run();
  CHECK(refused == error_type::invalid_argument);
  CHECK(answers == 1);
}

TEST_CASE_FIXTURE(one_node, "a request for an object has one handler") {
  auto refused = error_type::worker_died;
  int answers = 0;
  sim.system().spawn([&, ref = node.put(1)](caf::event_based_actor* self) {
    auto request = get(self, ref);
    auto count = [&](const view<int>&) {
      ++answers;
    };
    request.then(count);
    refused = error_of([&] { request.await(count); });
  });
  sim.run();
  CHECK(refused == error_type::invalid_argument);
  CHECK(answers == 1);
}

TEST_CASE_FIXTURE(one_node, "a request that was moved from asks nobody, and says so") {
  std::vector<std::string> said;
  int answers = 0;
  sim.system().spawn([&, ref = node.put(1)](caf::event_based_actor* self) {
    auto try_both = [&](auto request, auto handler) {
      auto other = std::move(request);
      said.push_back(message_of([&] { request.then(handler); }));
      other.then(handler);
      said.push_back(message_of([&] { other.await(handler); }));
    };
    try_both(get(self, ref), [&](const view<int>&) { ++answers; });
    try_both(get_all(self, std::vector{ref, ref}), [&](const outcomes<int>&) { ++answers; });
    try_both(wait(self, std::vector{ref, ref}, 2), [&](const wait_result<int>&) { ++answers; });
  });
  sim.run();
  REQUIRE(said.size() == 6);
  for (std::size_t index = 0; index < said.size(); ++index)
    CHECK(said[index].find(index % 2 == 0 ? "was moved from" : "has its handler already")
          != std::string::npos);
  CHECK(answers == 3);
}

TEST_CASE_FIXTURE(one_node, "a request to an actor has one handler") {
  auto refused = error_type::worker_died;
  int answers = 0;
  auto asked = sim.system().spawn([](caf::event_based_actor*) {
    return caf::behavior{[](int number) {
      return number + 1;
    }};
  });
  sim.system().spawn([&](caf::event_based_actor* self) {
    auto request = mobula::request(self, asked, std::nullopt, 41);
    auto count = [&](int) {
      ++answers;
    };
    auto fail = [](caf::error&) {
    };
    request.then(count, fail);
    refused = error_of([&] { request.await(count, fail); });
  });
  sim.run();
  CHECK(refused == error_type::invalid_argument);
  CHECK(answers == 1);
}

TEST_CASE_FIXTURE(one_node, "a handler may start the next read") {
  int seen = 0;
  auto next = node.put(2);
  auto reader = run_in_actor(sim, [&](caf::event_based_actor* self) {
    get(self, node.put(1)).then([&, self](const view<int>& first) {
      get(self, next).then([&, one = *first](const view<int>& second) { seen = one + *second; });
    });
  });
  sim.run();
  CHECK(seen == 3);
}

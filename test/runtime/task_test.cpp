// Tasks: coroutines whose result is the answer of an actor to the message that it handles.

#include "mobula/actors/caf/typed_interface.hpp"
#include "one_node.hpp"

using namespace mobula;
using namespace std::literals;

namespace {

using summing_actor = caf::typed_actor<caf::replies_to<ObjectRef<int>, ObjectRef<int>>::with<int>>;

task<int> sum(caf::event_based_actor* self, ObjectRef<int> left, ObjectRef<int> right) {
  static_cast<void>(self);
  auto first = co_await left;
  auto second = co_await right;
  co_return *first + *second;
}

task<int> sum_of_typed(summing_actor::pointer self, ObjectRef<int> left, ObjectRef<int> right) {
  static_cast<void>(self);
  auto both = co_await get_all(self, left, right);
  co_return *both[0] + *both[1];
}

task<void> wait_for(caf::event_based_actor* self, ObjectRef<int> ref) {
  static_cast<void>(self);
  co_await ref;
}

caf::behavior summing(caf::event_based_actor* self) {
  return {[self](ObjectRef<int> left, ObjectRef<int> right) { return sum(self, left, right); },
          [self](ObjectRef<int> ref) {
            return wait_for(self, ref);
          }};
}

summing_actor::behavior_type summing_typed(summing_actor::pointer self) {
  return {[self](ObjectRef<int> left, ObjectRef<int> right) {
    return sum_of_typed(self, left, right);
  }};
}

/// Asks once, and keeps what it is answered.
struct asker {
  std::optional<int> answer;
  caf::error failure;

  template <class Target, class... Ts>
  caf::actor ask(testing::simulation& sim, Target target, Ts... contents) {
    return sim.system().spawn([=, this](caf::event_based_actor* self) {
      self->request(target, caf::infinite, contents...)
        .then([this](int number) { answer = number; },
              [this](caf::error& reason) { failure = std::move(reason); });
    });
  }
};

} // namespace

TEST_CASE_FIXTURE(one_node, "a task answers the message that its actor handles") {
  asker client;
  auto worker = sim.system().spawn(summing);
  auto open = node.make_promise<int>();
  client.ask(sim, worker, node.put(40), open.ref());
  sim.run();
  CHECK(!client.answer);
  open.set_value(2);
  sim.run();
  CHECK(client.answer == 42);
  caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
}

TEST_CASE_FIXTURE(one_node, "an actor with a static type may return a task") {
  asker client;
  auto worker = sim.system().spawn(summing_typed);
  client.ask(sim, worker, node.put(40), node.put(2));
  sim.run();
  CHECK(client.answer == 42);
  caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
}

TEST_CASE_FIXTURE(one_node, "a task without a value answers when it is done") {
  auto worker = sim.system().spawn(summing);
  auto open = node.make_promise<int>();
  auto done = false;
  auto client = sim.system().spawn([&](caf::event_based_actor* self) {
    self->request(worker, caf::infinite, open.ref()).then([&done] { done = true; });
  });
  sim.run();
  CHECK_FALSE(done);
  open.set_value(1);
  sim.run();
  CHECK(done);
  caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
}

TEST_CASE_FIXTURE(one_node,
                  "an exception that leaves a task is its answer, and its actor goes on") {
  asker client;
  auto worker = sim.system().spawn(summing);
  auto open = node.make_promise<int>();
  client.ask(sim, worker, node.put(40), open.ref());
  sim.run();
  open.set_error({.type = error_type::task_execution_exception, .message = "oops"});
  sim.run();
  CHECK(to_string(to_error_info(client.failure)).find("oops") != std::string::npos);
  asker second;
  second.ask(sim, worker, node.put(1), node.put(1));
  sim.run();
  CHECK(second.answer == 2);
  caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
}

TEST_CASE_FIXTURE(one_node, "who waits for a task learns that its actor has ended") {
  asker client;
  auto worker = sim.system().spawn(summing);
  auto open = node.make_promise<int>();
  client.ask(sim, worker, node.put(40), open.ref());
  sim.run();
  caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
  sim.run();
  CHECK(client.failure == caf::sec::request_receiver_down);
}

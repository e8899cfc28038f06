#include "one_node.hpp"

using namespace mobula;
using namespace std::literals;

namespace {

coroutine add(caf::event_based_actor* self, ObjectRef<int> left, ObjectRef<int> right,
              promise<int> sum) {
  static_cast<void>(self);
  auto first = co_await left;
  auto second = co_await right;
  sum.set_value(*first + *second);
}

coroutine read_within(caf::event_based_actor* self, ObjectRef<int> ref, error_type& seen) {
  try {
    co_await get(self, ref, 10ms);
  } catch (const object_error& error) {
    seen = error.type();
  }
}

coroutine collect(caf::event_based_actor* self, std::vector<ObjectRef<int>> refs, int& sum,
                  std::size_t& ready) {
  auto some = co_await wait(self, refs, 1);
  ready = some.ready.size();
  for (auto& result : co_await get_all(self, refs))
    sum += *result;
}

coroutine fail(caf::event_based_actor* self, ObjectRef<int> ref) {
  static_cast<void>(self);
  co_await ref;
  throw std::runtime_error("oops");
}

coroutine read_empty(caf::event_based_actor* self, error_type& seen) {
  static_cast<void>(self);
  try {
    co_await ObjectRef<int>{};
  } catch (const object_error& error) {
    seen = error.type();
  }
}

/// Counts the living, to show that frames are destroyed.
struct counted {
  explicit counted(int& count) : count(&count) {
    ++count;
  }

  counted(const counted& other) : counted(*other.count) {
    // nop
  }

  ~counted() {
    --*count;
  }

  int* count;
};

coroutine hold(caf::event_based_actor* self, ObjectRef<int> ref, counted token) {
  static_cast<void>(self);
  static_cast<void>(token);
  co_await ref;
}

template <class F>
caf::actor start(testing::simulation& sim, F body) {
  return sim.system().spawn([body](caf::event_based_actor* self) {
    body(self);
    return caf::behavior{[](int) {
    }};
  });
}

} // namespace

TEST_CASE_FIXTURE(one_node, "a coroutine reads one object after the other") {
  auto first = node.make_promise<int>();
  auto sum = node.make_promise<int>();
  auto ref = sum.ref();
  auto runner = start(sim, [&](caf::event_based_actor* self) {
    add(self, first.ref(), node.put(2), std::move(sum));
  });
  sim.run();
  CHECK_FALSE(ref.ready());
  first.set_value(40);
  CHECK(*node.get(ref) == 42);
}

TEST_CASE_FIXTURE(one_node, "a coroutine's read times out as an exception") {
  auto open = node.make_promise<int>();
  auto seen = error_type::worker_died;
  auto runner =
    start(sim, [&](caf::event_based_actor* self) { read_within(self, open.ref(), seen); });
  sim.run();
  sim.advance(10ms);
  sim.run();
  CHECK(seen == error_type::get_timed_out);
}

TEST_CASE_FIXTURE(one_node, "a coroutine waits for many objects") {
  int sum = 0;
  std::size_t ready = 0;
  auto runner = start(sim, [&](caf::event_based_actor* self) {
    collect(self, {node.put(1), node.put(2), node.put(3)}, sum, ready);
  });
  sim.run();
  CHECK(ready == 1);
  CHECK(sum == 6);
}

TEST_CASE_FIXTURE(one_node, "an exception that leaves a coroutine ends its actor and is told") {
  auto open = node.make_promise<int>();
  error_info seen;
  auto runner = start(sim, [&](caf::event_based_actor* self) { fail(self, open.ref()); });
  auto watcher = start(sim, [&](caf::event_based_actor* self) {
    self->monitor(runner);
    self->set_down_handler([&](caf::down_msg& down) { seen = to_error_info(down.reason); });
  });
  sim.run();
  open.set_value(1);
  sim.run();
  CHECK(seen.type == error_type::task_execution_exception);
  CHECK(seen.exception_type == "std::runtime_error");
}

TEST_CASE_FIXTURE(one_node, "awaiting an empty reference throws where it is awaited") {
  auto seen = error_type::worker_died;
  auto runner = start(sim, [&](caf::event_based_actor* self) { read_empty(self, seen); });
  sim.run();
  CHECK(seen == error_type::invalid_reference);
}

TEST_CASE_FIXTURE(one_node, "a coroutine that waits is destroyed with its actor") {
  int living = 0;
  auto open = node.make_promise<int>();
  auto runner =
    start(sim, [&](caf::event_based_actor* self) { hold(self, open.ref(), counted{living}); });
  sim.run();
  CHECK(living == 1);
  caf::anon_send_exit(runner, caf::exit_reason::user_shutdown);
  sim.run();
  CHECK(living == 0);
}

TEST_CASE_FIXTURE(one_node, "a coroutine that ended leaves no frame behind") {
  int living = 0;
  auto runner =
    start(sim, [&](caf::event_based_actor* self) { hold(self, node.put(1), counted{living}); });
  sim.run();
  CHECK(living == 0);
}

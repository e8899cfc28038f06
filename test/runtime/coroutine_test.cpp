// Coroutines in actors: what they can wait for, how they end, and that no frame is left behind.

#include "mobula/actors/caf/typed_interface.hpp"
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

using doubling_actor = caf::typed_actor<caf::replies_to<int>::with<int>>;

doubling_actor::behavior_type doubling() {
  return {[](int number) {
    return 2 * number;
  }};
}

coroutine ask_typed(caf::event_based_actor* self, doubling_actor worker, int& answer) {
  answer = co_await self->request(worker, caf::infinite, 21);
}

/// Asks as one asks actors that may be on other nodes.
coroutine ask_anywhere(caf::event_based_actor* self, doubling_actor worker, int& answer) {
  answer = co_await mobula::request(self, worker, std::nullopt, 21);
  auto untyped = caf::actor_cast<caf::actor>(worker);
  answer += co_await expect<int>(mobula::request(self, untyped, std::nullopt, 4));
}

coroutine ask_any(caf::event_based_actor* self, caf::actor worker, std::string& answer,
                  error_info& failure) {
  try {
    answer = co_await expect<std::string>(self->request(worker, caf::infinite, 1));
    answer += co_await expect<std::string>(self->request(worker, caf::infinite, 2));
  } catch (const object_error& error) {
    failure = error.info();
  }
}

coroutine read_all(caf::event_based_actor* self, ObjectRef<int> left, ObjectRef<int> right,
                   int& read, std::size_t& pending) {
  for (auto& each : co_await get_all(self, left))
    read += *each;
  for (auto& each : co_await get_all(self, 10ms, left, right))
    pending += each.pending() ? 1 : 0;
}

struct keeps_a_number {
  int number = 0;

  coroutine member(caf::event_based_actor* self, ObjectRef<int> ref) {
    static_cast<void>(self);
    number = *co_await ref;
  }
};

// A lambda with captures is refused, one without and a member of an actor's state are not.
[[maybe_unused]] constexpr auto plain = [](caf::event_based_actor*, int) {
};
static_assert(!internal::captures_for_coroutine<decltype(plain), caf::event_based_actor*, int>);
static_assert(
  !internal::captures_for_coroutine<keeps_a_number, caf::event_based_actor*, ObjectRef<int>>);
[[maybe_unused]] auto capturing = [number = 1](caf::event_based_actor*, promise<int>) mutable {
  ++number;
};
static_assert(
  internal::captures_for_coroutine<decltype(capturing), caf::event_based_actor*, promise<int>>);
[[maybe_unused]] auto capturing_any = [number = 1](auto*, const auto& value) {
  return number + value;
};
static_assert(
  internal::captures_for_coroutine<decltype(capturing_any), caf::event_based_actor*, int>);

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

TEST_CASE_FIXTURE(one_node, "a coroutine awaits the answer of an actor with a static type") {
  int answer = 0;
  auto worker = sim.system().spawn(doubling);
  auto runner = start(sim, [&](caf::event_based_actor* self) { ask_typed(self, worker, answer); });
  sim.run();
  CHECK(answer == 42);
}

TEST_CASE_FIXTURE(one_node, "a coroutine awaits an answer that may come from another node") {
  int answer = 0;
  auto worker = sim.system().spawn(doubling);
  auto runner =
    start(sim, [&](caf::event_based_actor* self) { ask_anywhere(self, worker, answer); });
  sim.run();
  CHECK(answer == 50);
}

TEST_CASE_FIXTURE(one_node, "a coroutine says what it expects of an actor without static type") {
  std::string answer;
  error_info failure;
  auto worker = sim.system().spawn([](caf::event_based_actor* self) {
    self->set_default_handler(caf::drop);
    return caf::behavior{[](int number) -> caf::result<std::string> {
      if (number == 1)
        return std::string{"one"};
      return caf::make_error(caf::sec::invalid_argument);
    }};
  });
  auto runner =
    start(sim, [&](caf::event_based_actor* self) { ask_any(self, worker, answer, failure); });
  sim.run();
  CHECK(answer == "one");
  CHECK(failure.message.find("invalid_argument") != std::string::npos);
}

TEST_CASE_FIXTURE(one_node, "an answer of another type than expected is an error") {
  std::string answer;
  error_info failure;
  auto worker = sim.system().spawn(doubling);
  auto runner = start(sim, [&](caf::event_based_actor* self) {
    ask_any(self, caf::actor_cast<caf::actor>(worker), answer, failure);
  });
  sim.run();
  CHECK(answer.empty());
  CHECK(failure.message.find("unexpected_response") != std::string::npos);
}

TEST_CASE_FIXTURE(one_node, "a coroutine reads references that it lists, with a limit or without") {
  int read = 0;
  std::size_t pending = 0;
  auto open = node.make_promise<int>();
  auto runner = start(sim, [&](caf::event_based_actor* self) {
    read_all(self, node.put(42), open.ref(), read, pending);
  });
  sim.run();
  sim.advance(10ms);
  sim.run();
  CHECK(read == 42);
  CHECK(pending == 1);
}

TEST_CASE_FIXTURE(one_node, "a coroutine may be a member of its actor's state") {
  keeps_a_number state;
  auto runner = start(sim, [&](caf::event_based_actor* self) { state.member(self, node.put(42)); });
  sim.run();
  CHECK(state.number == 42);
}

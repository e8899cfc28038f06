// What a reader sees of a value: views, copies, time limits and errors.

#include "one_node.hpp"

#include <array>
#include <concepts>
#include <vector>

using namespace mobula;
using namespace std::literals;

namespace {

/// Whether `*view` compiles for a view without a name, and for one that has one.
template <class T>
concept readable_without_name = requires(view<T> shown) {
  *std::move(shown);
};

template <class T>
concept readable_by_name = requires(const view<T> shown) {
  *shown;
};

template <class T>
concept copyable_by_name = requires(const view<T> shown) {
  shown.copy();
};

/// Whether its address and its bytes can be had.
template <class T>
concept shows_address_without_name = requires(view<T> shown) {
  std::move(shown).get();
};

template <class T>
concept shows_bytes_without_name = requires(view<T> shown) {
  std::move(shown).raw_bytes();
};

struct point {
  double x = 0;
  double y = 0;
};

// A reference that dangles is no program: what a view without a name gives is a copy, or nothing.
static_assert(readable_without_name<int> && readable_without_name<point>);
static_assert(std::same_as<decltype(*std::declval<view<point>>()), point>);
static_assert(std::same_as<decltype(*std::declval<const view<point>&>()), const point&>);
static_assert(!readable_without_name<std::string> && readable_by_name<std::string>);
static_assert(!readable_without_name<std::vector<int>>);
static_assert(!readable_without_name<std::array<char, 65>>);
// Copies of these show the memory that the view keeps.
static_assert(!readable_without_name<array<int>> && !copyable_by_name<array<int>>);
static_assert(!readable_without_name<bytes> && !copyable_by_name<bytes>);
static_assert(!shows_address_without_name<int> && !shows_bytes_without_name<int>);

} // namespace

TEST_CASE_FIXTURE(one_node, "a value that was put can be read") {
  auto number = node.put(42);
  auto text = node.put("hello");
  CHECK(*node.get(number) == 42);
  CHECK(node.get(text).copy() == "hello");
}

TEST_CASE_FIXTURE(one_node, "what is read of a view without a name is a copy") {
  auto where = node.put(point{1, 2});
  auto&& read = *node.get(where);
  auto text = node.get(node.put("hello")).copy();
  where = {};
  sim.run();
  CHECK(read.y == 2);
  CHECK(text == "hello");
}

TEST_CASE_FIXTURE(one_node, "all views of an object show the same value") {
  auto text = node.put(std::vector<std::string>{"a", "b"});
  auto first = node.get(text);
  auto second = node.get(text);
  CHECK(first.get() == second.get());
}

TEST_CASE_FIXTURE(one_node, "a view outlives the reference that it came from") {
  auto value = [&] {
    auto text = node.put("still here");
    return node.get(text);
  }();
  sim.run();
  CHECK(*value == "still here");
}

TEST_CASE("a view outlives the node that it came from") {
  std::optional<view<std::string>> small;
  std::optional<view<std::string>> large;
  {
    testing::simulation sim;
    auto& node = sim.add_node();
    small = node.get(node.put("small"));
    large = node.get(node.put(std::string(300'000, 'x')));
  }
  CHECK(**small == "small");
  CHECK(**large == std::string(300'000, 'x'));
}

TEST_CASE_FIXTURE(one_node, "a copied view pins by itself") {
  auto first = node.get(node.put(std::string(300'000, 'x')));
  auto second = first;
  first = node.get(node.put("other"));
  sim.run();
  CHECK(second->size() == 300'000);
}

TEST_CASE_FIXTURE(one_node, "a view knows its encoded bytes") {
  auto value = node.get(node.put(std::uint32_t{0x01020304}));
  CHECK(value.size_bytes() == 4);
  CHECK(value.raw_bytes()[0] == std::byte{4});
}

TEST_CASE_FIXTURE(one_node, "a blocking get runs the simulation until the object is there") {
  auto promise = node.make_promise<int>();
  auto ref = promise.ref();
  auto setter = sim.system().spawn([&promise](caf::event_based_actor* self) {
    return caf::behavior{[&promise, self](int value) {
      promise.set_value(value);
      self->quit();
    }};
  });
  caf::anon_send(setter, 7);
  CHECK(*node.get(ref) == 7);
}

TEST_CASE_FIXTURE(one_node, "a get that nothing can satisfy says so instead of hanging") {
  auto promise = node.make_promise<int>();
  CHECK(error_of([&] { node.get(promise.ref()); }) == error_type::would_block_forever);
}

TEST_CASE_FIXTURE(one_node, "a get with a limit ends when the limit is over, to the tick") {
  auto promise = node.make_promise<int>();
  auto start = sim.now();
  CHECK(error_of([&] { node.get(promise.ref(), 5ms); }) == error_type::get_timed_out);
  CHECK(sim.now() - start == 5ms);
}

TEST_CASE_FIXTURE(one_node, "a get with a limit of zero means now") {
  auto promise = node.make_promise<int>();
  auto start = sim.now();
  CHECK(error_of([&] { node.get(promise.ref(), 0s); }) == error_type::get_timed_out);
  CHECK(sim.now() == start);
  CHECK(*node.get(node.put(1), 0s) == 1);
}

TEST_CASE_FIXTURE(one_node, "a limit beyond the end of time is no limit") {
  auto promise = node.make_promise<int>();
  CHECK(error_of([&] { node.get(promise.ref(), std::chrono::nanoseconds::max()); })
        == error_type::would_block_forever);
}

TEST_CASE_FIXTURE(one_node, "a negative limit is refused") {
  auto promise = node.make_promise<int>();
  CHECK(error_of([&] { node.get(promise.ref(), -1s); }) == error_type::invalid_argument);
}

TEST_CASE_FIXTURE(one_node, "try_get returns the error as a value") {
  auto promise = node.make_promise<int>();
  auto result = node.try_get(promise.ref(), 0s);
  REQUIRE_FALSE(result);
  CHECK(to_error_info(result.error()).type == error_type::get_timed_out);
  CHECK(**node.try_get(node.put(3)) == 3);
}

TEST_CASE_FIXTURE(one_node, "get_all gives each element its own outcome, in order") {
  auto broken = node.make_promise<int>();
  auto open = node.make_promise<int>();
  broken.set_error({.type = error_type::task_execution_exception, .message = "no"});
  auto one = node.put(1);
  auto results = node.get_all(std::vector{one, broken.ref(), open.ref(), one}, 1ms);
  REQUIRE(results.size() == 4);
  CHECK(*results[0] == 1);
  CHECK(results[1].error().message == "no");
  CHECK(results[2].pending());
  CHECK(*results[3] == 1);
}

TEST_CASE_FIXTURE(one_node, "get_all of nothing is nothing") {
  CHECK(node.get_all(std::vector<ObjectRef<int>>{}).empty());
}

TEST_CASE_FIXTURE(one_node, "get_all of ready objects sends no message") {
  std::vector<ObjectRef<int>> refs;
  for (int value = 0; value < 10'000; ++value)
    refs.push_back(node.put(value));
  sim.run();
  auto before = node.stats().messages;
  auto results = node.get_all(refs);
  CHECK(node.stats().messages == before);
  CHECK(*results[9'999] == 9'999);
}

TEST_CASE_FIXTURE(one_node, "wait splits by readiness, at most as many ready as asked for") {
  auto open = node.make_promise<int>();
  auto failed = node.make_promise<int>();
  failed.set_error({.type = error_type::worker_died});
  std::vector<ObjectRef<int>> refs{node.put(1), open.ref(), failed.ref(), node.put(4)};
  auto two = node.wait(refs, 2);
  CHECK(two.ready == std::vector{refs[0], refs[2]});
  CHECK(two.pending == std::vector{refs[1], refs[3]});
  auto three = node.wait(refs, 3, 0s);
  CHECK(three.ready == std::vector{refs[0], refs[2], refs[3]});
}

TEST_CASE_FIXTURE(one_node, "wait returns what there is when its limit is over") {
  auto open = node.make_promise<int>();
  std::vector<ObjectRef<int>> refs{open.ref(), node.put(1)};
  auto start = sim.now();
  auto result = node.wait(refs, 2, 3s);
  CHECK(sim.now() - start == 3s);
  CHECK(result.ready == std::vector{refs[1]});
  CHECK(result.pending == std::vector{refs[0]});
}

TEST_CASE_FIXTURE(one_node, "wait for more than there are is refused") {
  CHECK(message_of([&] { static_cast<void>(node.wait(std::vector{node.put(1)}, 2)); })
        == "cannot wait for 2 of 1 reference");
}

TEST_CASE_FIXTURE(one_node, "wait for none returns at once") {
  auto open = node.make_promise<int>();
  auto result = node.wait(std::vector{open.ref()}, 0);
  CHECK(result.ready.empty());
  CHECK(result.pending.size() == 1);
}

TEST_CASE_FIXTURE(one_node, "an empty reference is refused clearly") {
  ObjectRef<int> empty;
  CHECK(error_of([&] { node.get(empty); }) == error_type::invalid_reference);
  CHECK(error_of([&] { static_cast<void>(node.get_all(std::vector{empty})); })
        == error_type::invalid_reference);
  CHECK(error_of([&] { static_cast<void>(empty.ready()); }) == error_type::invalid_reference);
  CHECK(error_of([&] { static_cast<void>(empty.owner()); }) == error_type::invalid_reference);
}

TEST_CASE_FIXTURE(one_node, "a reference read as the wrong type names both types") {
  ObjectRef<void> untyped = node.put(std::int32_t{1});
  CHECK(error_of([&] { static_cast<void>(untyped.as<std::uint64_t>()); })
        == error_type::type_mismatch);
  auto message = message_of([&] { static_cast<void>(untyped.as<std::uint64_t>()); });
  CHECK(message.find("int32") != std::string::npos);
  CHECK(message.find("uint64") != std::string::npos);
  CHECK(*node.get(untyped.as<std::int32_t>()) == 1);
}

TEST_CASE_FIXTURE(one_node, "the wrong type is noticed before the object is ready") {
  auto promise = node.make_promise<int>();
  ObjectRef<void> untyped = promise.ref();
  CHECK(error_of([&] { static_cast<void>(untyped.as<std::string>()); })
        == error_type::type_mismatch);
}

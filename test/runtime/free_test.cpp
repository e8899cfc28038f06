// Values that are freed though there are references to them.

#include "../temporary_directory.hpp"
#include "one_node.hpp"

#include <functional>
#include <initializer_list>
#include <optional>

using namespace mobula;

namespace {

const std::string small_text = "a text";
const std::string large_text(300'000, 'x');

template <class T>
error_type error_behind(const node& reader, const ObjectRef<T>& ref) {
  return error_of([&] { static_cast<void>(reader.get(ref)); });
}

} // namespace

TEST_CASE_FIXTURE(one_node, "readers of a freed value get an error that names the object") {
  for (const auto& text : {small_text, large_text}) {
    auto ref = node.put(text);
    auto copy = ref;
    node.free(ref);
    CHECK(copy.ready());
    CHECK(error_behind(node, copy) == error_type::object_freed);
    auto message = message_of([&] { static_cast<void>(node.get(copy)); });
    CHECK(message.find(to_string(copy.id())) != std::string::npos);
  }
}

TEST_CASE_FIXTURE(one_node, "memory of a freed object is free though there are references") {
  auto ref = node.put(large_text);
  node.free(ref);
  auto stats = node.stats();
  CHECK(stats.resident == object_count{});
  CHECK(stats.arena_used_bytes == 0);
}

TEST_CASE_FIXTURE(one_node, "views of a freed value stay readable, and then its memory goes") {
  auto small = node.put(small_text);
  auto large = node.put(large_text);
  {
    auto small_view = node.get(small);
    auto large_view = node.get(large);
    node.free(std::vector{small, large});
    CHECK(error_behind(node, large) == error_type::object_freed);
    CHECK(node.stats().arena_used_bytes > 0);
    CHECK(*small_view == small_text);
    CHECK(*large_view == large_text);
  }
  CHECK(node.stats().arena_used_bytes == 0);
}

TEST_CASE_FIXTURE(one_node, "a view may outlive both the free and the references") {
  auto ref = node.put(large_text);
  auto view = node.get(ref);
  node.free(ref);
  ref = {};
  CHECK(node.stats().resident.objects == 1);
  CHECK(*view == large_text);
}

TEST_CASE_FIXTURE(one_node, "who waits for an object that is freed gets an error") {
  auto promise = node.make_promise<std::string>();
  std::optional<error_type> seen;
  auto reader = sim.system().spawn([&](caf::event_based_actor* self) {
    get(self, promise.ref())
      .then([](const view<std::string>&) {},
            [&](caf::error& error) { seen = to_error_info(error).type; });
  });
  sim.run();
  node.free(promise.ref());
  sim.run();
  CHECK(seen == error_type::object_freed);
}

TEST_CASE_FIXTURE(one_node, "a promise may be set after its object was freed") {
  for (const auto& text : {small_text, large_text}) {
    auto promise = node.make_promise<std::string>();
    auto ref = promise.ref();
    node.free(ref);
    promise.set_value(text);
    CHECK(error_behind(node, ref) == error_type::object_freed);
    CHECK(node.stats().arena_used_bytes == 0);
  }
}

TEST_CASE("an actor's value that waits for space can be freed") {
  config settings;
  settings.set("mobula.store-size", std::string{"1MiB"});
  settings.set("mobula.shards", std::int64_t{1});
  caf::actor_system system{settings};
  node node{system};
  auto held = node.put(std::string(900'000, 'x'));
  auto result = node.make_promise<ObjectRef<std::string>>();
  auto ref = result.ref();
  system.spawn(
    [&](caf::event_based_actor*) { result.set_value(node.put(std::string(900'000, 'y'))); });
  auto late = node.get(ref).copy();
  REQUIRE(!late.ready());
  node.free(late);
  CHECK(error_behind(node, late) == error_type::object_freed);
  held = {};
  // What was freed takes no space when there is some.
  CHECK(node.get(node.put(std::string(900'000, 'z')))->front() == 'z');
}

TEST_CASE_FIXTURE(one_node, "a freed object leaves nothing on disk") {
  test::temporary_directory directory;
  auto options = sim.default_options();
  options.store_size_bytes = 1 << 20;
  options.shards = 1;
  options.spill_directories = {directory.path()};
  auto& tight = sim.add_node(options);
  std::vector<ObjectRef<std::string>> refs;
  for (int count = 0; count < 10; ++count)
    refs.push_back(tight.put(large_text));
  REQUIRE(tight.stats().spilled.objects > 0);
  tight.free(refs);
  auto stats = tight.stats();
  CHECK(stats.spilled.objects == 0);
  CHECK(stats.resident.objects == 0);
  CHECK(error_behind(tight, refs.front()) == error_type::object_freed);
}

TEST_CASE_FIXTURE(one_node, "what a freed value refers to lives on") {
  auto inner = node.put(small_text);
  auto outer = node.put(std::vector{inner});
  node.free(outer);
  CHECK(node.get(inner).copy() == small_text);
}

TEST_CASE_FIXTURE(one_node, "freeing an error or a freed value again changes nothing") {
  auto promise = node.make_promise<std::string>();
  promise.set_error({.type = error_type::worker_died, .message = "as planned"});
  node.free(promise.ref());
  CHECK(error_behind(node, promise.ref()) == error_type::worker_died);
  auto ref = node.put(large_text);
  node.free(std::vector{ref, ref});
  node.free(ref);
  CHECK(error_behind(node, ref) == error_type::object_freed);
}

TEST_CASE_FIXTURE(one_node, "of references with an empty one among them, none is freed") {
  std::vector refs{node.put(small_text), ObjectRef<std::string>{}, node.put(large_text)};
  auto failure = message_of([&] { node.free(refs); });
  CHECK(failure.find("of 3 references, the one at index 1 is empty") != std::string::npos);
  CHECK(node.get(refs.front()).copy() == small_text);
  CHECK(node.get(refs.back()).copy() == large_text);
}

TEST_CASE_FIXTURE(one_node, "readers of many references hear which one is empty") {
  std::vector refs{node.put(small_text), node.put(small_text), ObjectRef<std::string>{}};
  for (const auto& use :
       std::initializer_list<std::function<void()>>{[&] { static_cast<void>(node.get_all(refs)); },
                                                    [&] {
                                                      static_cast<void>(node.wait(refs, 1));
                                                    }})
    CHECK(message_of(use).find("index 2 is empty") != std::string::npos);
}

TEST_CASE_FIXTURE(one_node, "an empty reference has nothing to free") {
  CHECK(error_of([&] { node.free(ObjectRef<int>{}); }) == error_type::invalid_reference);
}

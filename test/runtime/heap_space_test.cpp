// Which puts wait for space in a process heap that has a limit, and until when.

#include "../last_words.hpp"
#include "small_heap.hpp"

#include <array>
#include <functional>
#include <future>
#include <latch>
#include <stdexcept>
#include <thread>
#include <utility>

using namespace mobula;
using namespace std::literals;
using mobula::test::last_words;

namespace {

/// Its codec calls a function when there is space for it, and throws.
struct failing_value {
  std::array<char, 3'000> content{};
  static inline std::function<void()> has_space;
};

} // namespace

template <>
struct mobula::codec<failing_value, codec_id::raw> {
  static constexpr bool exact_size = true;
  static constexpr bool in_place = false;
  static constexpr bool refers_to_source = false;

  static std::size_t size(const failing_value&) noexcept {
    return sizeof(failing_value);
  }

  static void write(const failing_value&, std::span<std::byte>) {
    failing_value::has_space();
    throw std::runtime_error{"no"};
  }

  static failing_value read(std::span<const std::byte>, const array_shape&) {
    return {};
  }
};

namespace {

/// The store is full, and a value that waits for space there takes more than the heap's limit.
struct full_of_one : no_disk {
  std::vector<text_ref> large;
  promise<std::string> waiting = other.make_promise<std::string>();

  full_of_one() {
    for (std::size_t size : {500'000, 540'000})
      large.push_back(other.put(text(1, size)));
    waiting.set_value(text(0, 300'000));
    sim.run();
    CHECK(other.stats().heap_bytes == 300'000);
  }

  /// Returns how long a small put takes.
  caf_clock::duration time_of_put() {
    auto start = sim.now();
    held.push_back(other.put(text(0, 3'000)));
    return sim.now() - start;
  }
};

} // namespace

TEST_CASE_FIXTURE(small_heap,
                  "a put that finds no space in the heap waits, and fails with the reason") {
  auto start = sim.now();
  auto message = message_of([&] { put(1'000, 4'000); });
  CHECK(sim.now() - start == node.options().full_timeout);
  CHECK(message.find("mobula.heap-limit") != std::string::npos);
  CHECK(message.find("4000 bytes") != std::string::npos);
  auto stats = node.stats();
  CHECK(stats.heap_bytes <= heap_limit);
  CHECK(stats.heap_bytes > heap_limit - 4'000);
  CHECK(stats.heap_refusals == 1);
  CHECK(intact(4'000));
}

TEST_CASE_FIXTURE(small_heap, "a put that waits for the heap goes on when a reference goes") {
  put(heap_limit / 4'000, 4'000);
  auto dropper = sim.system().spawn([&](caf::event_based_actor* self) {
    return caf::behavior{[&, self](int) {
      held.pop_back();
      self->quit();
    }};
  });
  caf::delayed_anon_send(dropper, 1s, 0);
  auto late = node.put(text(1, 4'000));
  CHECK(node.get(late).copy() == text(1, 4'000));
  CHECK(node.stats().heap_refusals == 0);
}

TEST_CASE_FIXTURE(no_disk,
                  "a put that waits for the heap goes on when the store takes a value in") {
  auto blocker = other.put(text(0, 1'000'000));
  auto large = other.make_promise<std::string>();
  // There is no space in the store, and who sets a promise does not wait for any.
  large.set_value(text(1, 200'000));
  while (other.stats().heap_bytes + 4'000 <= heap_limit)
    held.push_back(other.put(text(held.size(), 4'000)));
  auto dropper = sim.system().spawn([&](caf::event_based_actor* self) {
    return caf::behavior{[&, self](int) {
      blocker = {};
      self->quit();
    }};
  });
  auto start = sim.now();
  caf::delayed_anon_send(dropper, 1s, 0);
  held.push_back(other.put(text(held.size(), 4'000)));
  CHECK(sim.now() - start == 1s);
  CHECK(other.get(large.ref()).copy() == text(1, 200'000));
}

TEST_CASE_FIXTURE(full_of_one, "a put that waits for the heap goes on when a value left it") {
  auto dropper = sim.system().spawn([&](caf::event_based_actor* self) {
    return caf::behavior{[&, self](int) {
      large.clear();
      self->quit();
    }};
  });
  caf::delayed_anon_send(dropper, 500ms, 0);
  CHECK(time_of_put() == 500ms);
  CHECK(other.get(waiting.ref()).copy() == text(0, 300'000));
}

TEST_CASE_FIXTURE(full_of_one, "a put that waits for the heap goes on when a value is refused") {
  auto until_refused = other.options().full_timeout - 500ms;
  sim.advance(500ms);
  sim.run();
  CHECK(time_of_put() == until_refused);
  CHECK(other.try_get(waiting.ref()).error() != caf::none);
}

TEST_CASE_FIXTURE(no_disk,
                  "with heap and store full a put of a larger value fails as the store says") {
  auto fill = [&] {
    for (std::size_t index = 0; index < 200; ++index)
      held.push_back(other.put(text(index)));
  };
  CHECK(error_of(fill) == error_type::store_full);
  auto stats = other.stats();
  CHECK(stats.heap_bytes <= heap_limit);
  CHECK(stats.resident.bytes <= 1 << 20);
  CHECK(held.size() * 16'000 > heap_limit);
}

TEST_CASE_FIXTURE(no_disk, "a put that the store refuses takes what space the heap has by then") {
  std::vector<text_ref> large;
  for (std::size_t size : {500'000, 540'000})
    large.push_back(other.put(text(1, size)));
  while (other.stats().heap_bytes + 16'000 <= heap_limit)
    held.push_back(other.put(text(held.size())));
  auto dropper = sim.system().spawn([&](caf::event_based_actor* self) {
    return caf::behavior{[&, self](int) {
      // The youngest: the oldest are on their way to the store.
      held.pop_back();
      self->quit();
    }};
  });
  caf::delayed_anon_send(dropper, 500ms, 0);
  held.push_back(other.put(text(held.size() - 1)));
  CHECK(intact());
}

TEST_CASE_FIXTURE(no_disk, "a promise's value that the store refuses stays if the heap has space") {
  std::vector<text_ref> large;
  for (std::size_t size : {500'000, 540'000})
    large.push_back(other.put(text(1, size)));
  while (other.stats().heap_bytes + 16'000 <= heap_limit)
    held.push_back(other.put(text(held.size())));
  auto open = other.make_promise<std::string>();
  open.set_value(text(3));
  CHECK(other.stats().heap_bytes > heap_limit);
  SUBCASE("it has") {
    held.pop_back();
    CHECK(other.get(open.ref()).copy() == text(3));
    CHECK(other.stats().heap_bytes <= heap_limit);
  }
  SUBCASE("it has not") {
    auto result = other.try_get(open.ref());
    REQUIRE(!result);
    CHECK(to_error_info(result.error()).type == error_type::store_full);
  }
}

namespace {

/// A node on real threads with a heap of 64 KiB, which waits long for space.
struct threaded_heap {
  static constexpr std::size_t limit = 64 << 10;

  struct small_config : config {
    small_config() {
      set("mobula.store-size", std::string{"16MiB"});
      set("mobula.heap-limit", std::string{"64KiB"});
      set("mobula.full-timeout", caf::timespan{1h});
    }
  };

  small_config settings;
  caf::actor_system system{settings};
  mobula::node node{system};
  std::vector<text_ref> held;

  text_ref put_one() {
    return node.put(std::string(3'000, 'x'));
  }

  /// Leaves space for less than one more than `rest`.
  void fill_but(std::size_t rest) {
    while (node.core().heap_of_values().limits().used_bytes() + (rest + 1) * 3'000 <= limit)
      held.push_back(put_one());
  }
};

} // namespace

TEST_CASE_FIXTURE(threaded_heap, "a put that waits for the heap goes on when another one fails") {
  fill_but(1);
  std::future<text_ref> waiting;
  failing_value::has_space = [&] {
    waiting = std::async(std::launch::async, [this] { return put_one(); });
    while (node.stats().waiting_for_heap == 0)
      std::this_thread::yield();
  };
  CHECK_THROWS_AS(static_cast<void>(node.put(failing_value{})), std::runtime_error);
  auto went_on = waiting.wait_for(60s) == std::future_status::ready;
  CHECK(went_on);
  // Ends the wait if nothing else did.
  if (!went_on)
    node.shutdown();
}

TEST_CASE_FIXTURE(
  threaded_heap, "a put that waits for the heap ends with its node, though the keeper is held up") {
  auto ref = node.put(last_words{std::string(20'000, 'x')});
  CHECK(node.get(ref)->text.size() == 20'000);
  std::promise<void> dying;
  std::promise<void> released;
  last_words::said = [&] {
    dying.set_value();
    released.get_future().wait();
  };
  // The first to leave is what was decoded, which dies in the keeper.
  fill_but(0);
  dying.get_future().wait();
  std::latch about_to_put{1};
  std::thread waiting{[&] {
    about_to_put.count_down();
    CHECK(error_of([&] { static_cast<void>(put_one()); }) == error_type::shutting_down);
  }};
  about_to_put.wait();
  // It waits some seconds for the keeper; a put that comes too late even for that fails as well.
  node.shutdown();
  waiting.join();
  released.set_value();
}

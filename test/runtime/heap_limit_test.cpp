// Small values in a process heap that has a limit: what leaves it, what stays, and who waits.

#include "../temporary_directory.hpp"
#include "one_node.hpp"

#include <algorithm>
#include <functional>

using namespace mobula;
using namespace std::literals;

namespace {

constexpr std::size_t heap_limit = 256 * 1024;

using text_ref = ObjectRef<std::string>;

/// A node with room for some 16 values of 16 KB in the heap, and for some 64 in the store.
struct small_heap {
  testing::simulation sim;
  test::temporary_directory directory;
  mobula::node& node = sim.add_node(options());
  std::vector<text_ref> held;

  ~small_heap() {
    held.clear();
    sim.check_invariants();
    CHECK(sim.leftovers() == "");
  }

  node_options options() {
    auto result = sim.default_options();
    result.heap_limit_bytes = heap_limit;
    result.store_size_bytes = 1 << 20;
    result.shards = 1;
    result.spill_directories = {directory.path()};
    return result;
  }

  static std::string text(std::size_t index, std::size_t size = 16'000) {
    return std::string(size, static_cast<char>('a' + index % 26));
  }

  void put(std::size_t count, std::size_t size = 16'000) {
    for (; count > 0; --count)
      held.push_back(node.put(text(held.size(), size)));
    sim.run();
  }

  /// Returns whether each value is what was put.
  bool intact(std::size_t size = 16'000) {
    for (std::size_t index = 0; index < held.size(); ++index)
      if (*node.get(held[index]) != text(index, size))
        return false;
    return true;
  }
};

/// The same without a directory to spill to.
struct no_disk : small_heap {
  mobula::node& other = sim.add_node([this] {
    auto result = options();
    result.spill_directories.clear();
    return result;
  }());
};

/// Says when it dies.
struct slow_to_die {
  std::string text;
  static inline std::function<void()> last_words;

  ~slow_to_die() {
    if (last_words)
      last_words();
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(text);
  }
};

/// The store is full, and a value that waits for room there takes more than the heap's limit.
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

using numbers = array<std::uint64_t>;

/// 16,000 bytes that are read where they are.
ObjectRef<numbers> put_numbers(node& on, std::uint64_t first) {
  auto builder = on.create<numbers>(2'000);
  for (std::size_t index = 0; index < builder.size(); ++index)
    builder[index] = first + index;
  return builder.seal();
}

} // namespace

TEST_CASE_FIXTURE(small_heap,
                  "the heap's figure is what values take, and nothing when they are gone") {
  held.push_back(node.put(text(0, 100)));
  held.push_back(node.put(text(0, 4'096)));
  CHECK(node.stats().heap_bytes == 4'196);
  CHECK(node.stats().inline_values == object_count{2, 4'196});
  held.pop_back();
  CHECK(node.stats().heap_bytes == 100);
  held.pop_back();
  CHECK(node.stats().heap_bytes == 0);
}

TEST_CASE_FIXTURE(small_heap, "what was decoded of a value counts beside its bytes") {
  held.push_back(node.put(text(0, 3'000)));
  CHECK(node.get(held[0])->size() == 3'000);
  CHECK(node.stats().heap_bytes >= 6'000);
}

TEST_CASE_FIXTURE(small_heap, "values above the heap's limit move into the store") {
  put(50);
  auto stats = node.stats();
  CHECK(stats.heap_bytes <= heap_limit);
  CHECK(stats.left_heap.objects > 0);
  CHECK(stats.stored.objects > 30);
  CHECK(stats.owned.objects == 50);
  CHECK(intact());
}

TEST_CASE_FIXTURE(small_heap, "values above both limits go to disk, and all read back") {
  put(300);
  auto stats = node.stats();
  CHECK(stats.heap_bytes <= heap_limit);
  CHECK(stats.resident.bytes + stats.lent_bytes + stats.reserved_bytes <= 1 << 20);
  CHECK(stats.spilled.objects > 200);
  CHECK(intact());
  CHECK(node.stats().heap_bytes <= heap_limit);
}

TEST_CASE_FIXTURE(small_heap,
                  "a value with a view stays at its place, and moves when the view goes") {
  auto ref = put_numbers(node, 7);
  std::optional pinned = node.get(ref);
  const auto* address = pinned->raw_bytes().data();
  put(60);
  CHECK(pinned->raw_bytes().data() == address);
  CHECK((**pinned)[1'999] == 2'006);
  pinned.reset();
  for (int round = 0; round < 10; ++round)
    put(20);
  CHECK(node.get(ref)->data() != reinterpret_cast<const std::uint64_t*>(address));
  CHECK((*node.get(ref))[1'999] == 2'006);
}

TEST_CASE_FIXTURE(small_heap, "a value that is read stays, one that is not leaves") {
  put(1);
  auto read = put_numbers(node, 7);
  const auto* address = node.get(read)->data();
  put(13);
  CHECK(node.stats().left_heap.objects > 0);
  CHECK(node.get(read)->data() == address);
}

TEST_CASE_FIXTURE(small_heap,
                  "values of less than 4 KiB stay in the heap, and larger ones go for them") {
  put(12);
  for (std::size_t index = 0; index < 70; ++index)
    held.push_back(node.put(text(index, 3'000)));
  auto stats = node.stats();
  CHECK(stats.heap_bytes <= heap_limit);
  CHECK(stats.inline_values.bytes >= 70 * 3'000);
  CHECK(stats.left_heap.objects > 0);
}

TEST_CASE_FIXTURE(small_heap,
                  "a put that finds no room in the heap waits, and fails with the reason") {
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
  CHECK(*node.get(late) == text(1, 4'000));
  CHECK(node.stats().heap_refusals == 0);
}

TEST_CASE_FIXTURE(no_disk,
                  "a put that waits for the heap goes on when the store takes a value in") {
  auto blocker = other.put(text(0, 1'000'000));
  auto large = other.make_promise<std::string>();
  // There is no room in the store, and who sets a promise does not wait for any.
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
  CHECK(*other.get(large.ref()) == text(1, 200'000));
}

TEST_CASE_FIXTURE(small_heap, "what was decoded leaves the heap first, and is decoded anew") {
  held.push_back(node.put(text(0, 200'000)));
  CHECK(*node.get(held[0]) == text(0, 200'000));
  CHECK(node.stats().heap_bytes >= 200'000);
  for (std::size_t index = 0; index < 40; ++index)
    held.push_back(node.put(text(index, 2'000)));
  auto stats = node.stats();
  CHECK(stats.decoded_dropped.objects == 1);
  CHECK(stats.left_heap.objects == 0);
  CHECK(stats.heap_bytes < 100'000);
  CHECK(*node.get(held[0]) == text(0, 200'000));
}

TEST_CASE_FIXTURE(small_heap, "what is decoded and viewed stays until the view goes") {
  held.push_back(node.put(text(0, 230'000)));
  std::optional pinned = node.get(held[0]);
  sim.run();
  CHECK(node.stats().decoded_dropped.objects == 0);
  pinned.reset();
  sim.run();
  CHECK(node.stats().decoded_dropped.objects == 1);
  CHECK(node.stats().heap_bytes == 0);
}

TEST_CASE_FIXTURE(small_heap, "a value can be read while what was decoded of it dies") {
  auto ref = node.put(slow_to_die{text(0, 230'000)});
  std::optional pinned = node.get(ref);
  auto readable = false;
  slow_to_die::last_words = [&] {
    readable = static_cast<bool>(ref.entry().try_pin());
  };
  pinned.reset();
  sim.run();
  slow_to_die::last_words = nullptr;
  CHECK(node.stats().decoded_dropped.objects == 1);
  CHECK(readable);
}

TEST_CASE_FIXTURE(small_heap, "values of promises leave the heap, too") {
  std::vector<promise<std::string>> promises;
  for (std::size_t index = 0; index < 60; ++index) {
    promises.push_back(node.make_promise<std::string>());
    held.push_back(promises.back().ref());
    promises.back().set_value(text(index));
  }
  sim.run();
  CHECK(node.stats().heap_bytes <= heap_limit);
  CHECK(node.stats().left_heap.objects > 0);
  CHECK(intact());
}

TEST_CASE_FIXTURE(small_heap, "a value that refers to others keeps them wherever it moves") {
  auto inner = node.put(text(3));
  auto outer = node.put(std::vector<text_ref>(500, inner));
  inner = {};
  put(80);
  CHECK(node.stats().left_heap.objects > 0);
  CHECK(*node.get(node.get(outer)->back()) == text(3));
}

TEST_CASE_FIXTURE(small_heap, "values that are freed while they move leave nothing") {
  for (std::size_t index = 0; index < 40; ++index) {
    held.push_back(node.put(text(index)));
    sim.run_one_randomly();
    node.free(held[sim.random()() % held.size()]);
  }
  sim.run();
  CHECK(node.stats().heap_bytes <= heap_limit);
}

TEST_CASE_FIXTURE(no_disk, "what a full store refused moves when it has room again") {
  std::vector<text_ref> large;
  for (std::size_t size : {500'000, 540'000})
    large.push_back(other.put(text(1, size)));
  for (std::size_t index = 0; index < 16; ++index)
    held.push_back(other.put(text(index)));
  for (int round = 0; round < 3; ++round) {
    sim.run();
    sim.advance(other.options().full_timeout);
  }
  CHECK(other.stats().heap_bytes > heap_limit / 10 * 8);
  large.clear();
  sim.run();
  CHECK(other.stats().left_heap.objects > 0);
  CHECK(other.stats().heap_bytes <= heap_limit / 10 * 8);
  CHECK(*other.get(held[0]) == text(0));
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
  CHECK(*other.get(waiting.ref()) == text(0, 300'000));
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

TEST_CASE_FIXTURE(no_disk, "with heap and store full what was decoded goes all the same") {
  auto fill = [&] {
    for (std::size_t index = 0; index < 200; ++index)
      held.push_back(other.put(text(index)));
  };
  CHECK(error_of(fill) == error_type::store_full);
  for (std::size_t index = 0; index < held.size(); ++index)
    CHECK(*other.get(held[index]) == text(index));
  // What waits for room in the store counts as gone until that has refused it.
  for (int round = 0; round < 3; ++round) {
    sim.run();
    sim.advance(other.options().full_timeout);
  }
  sim.run();
  CHECK(other.stats().heap_bytes <= heap_limit);
  CHECK(other.stats().decoded_dropped.objects >= held.size() / 2);
}

TEST_CASE_FIXTURE(small_heap, "values in the heap stay readable when the node shuts down") {
  auto ref = node.put(text(0));
  put(40);
  auto pinned = node.get(ref);
  node.shutdown();
  CHECK(*pinned == text(0));
}

// Small values in a process heap that has a limit: what leaves it, and what stays.

#include "small_heap.hpp"

#include <functional>

using namespace mobula;
using namespace std::literals;

namespace {

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
  CHECK(node.get(ref)->data()[1'999] == 2'006);
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

TEST_CASE_FIXTURE(small_heap, "what was decoded leaves the heap first, and is decoded anew") {
  held.push_back(node.put(text(0, 200'000)));
  CHECK(node.get(held[0]).copy() == text(0, 200'000));
  CHECK(node.stats().heap_bytes >= 200'000);
  for (std::size_t index = 0; index < 40; ++index)
    held.push_back(node.put(text(index, 2'000)));
  auto stats = node.stats();
  CHECK(stats.decoded_dropped.objects == 1);
  CHECK(stats.left_heap.objects == 0);
  CHECK(stats.heap_bytes < 100'000);
  CHECK(node.get(held[0]).copy() == text(0, 200'000));
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
  CHECK(node.get(node.get(outer)->back()).copy() == text(3));
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

TEST_CASE_FIXTURE(no_disk, "what a full store refused moves when it has space again") {
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
  CHECK(other.get(held[0]).copy() == text(0));
}

TEST_CASE_FIXTURE(no_disk, "with heap and store full what was decoded goes all the same") {
  auto fill = [&] {
    for (std::size_t index = 0; index < 200; ++index)
      held.push_back(other.put(text(index)));
  };
  CHECK(error_of(fill) == error_type::store_full);
  for (std::size_t index = 0; index < held.size(); ++index)
    CHECK(other.get(held[index]).copy() == text(index));
  // What waits for space in the store counts as gone until that has refused it.
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

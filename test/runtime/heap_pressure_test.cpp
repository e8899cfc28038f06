// Many more small values than the process heap and the store have space for, on real threads.

#include "../sanitizers.hpp"
#include "../temporary_directory.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <thread>
#include <vector>

#include <mobula/mobula.hpp>

using namespace mobula;
using namespace std::literals;

namespace {

constexpr std::size_t value_bytes = 16'000;
constexpr std::uint64_t heap_limit = 16ULL << 20U;
constexpr std::uint64_t store_size = 64'000'000;

/// Each byte that an actor has moved looks like a race to the thread sanitizer, which takes long to
/// pass over. These are a little more than the heap takes.
constexpr std::size_t rounds = test::has_thread_sanitizer ? 300 : 1'500;

using text_ref = ObjectRef<std::string>;

/// A node whose heap and store are both small; at its end nothing may be left.
struct pressed_node {
  test::temporary_directory directory;
  config settings = [this] {
    config result;
    result.set("mobula.store-size", std::string{"64MB"});
    result.set("mobula.heap-limit", std::string{"16MiB"});
    result.set("mobula.spill-dirs", std::vector<std::string>{directory.path()});
    return result;
  }();
  caf::actor_system system{settings};
  mobula::node node{system};

  /// The disk removes a file in its own time, after all else is gone.
  ~pressed_node() {
    auto limit = std::chrono::steady_clock::now() + 60s;
    auto stats = node.stats();
    while (!stats.nothing_left() && std::chrono::steady_clock::now() < limit)
      stats = node.stats();
    CHECK_MESSAGE(stats.nothing_left(), to_string(stats));
  }

  void check_limits() const {
    auto stats = node.stats();
    CHECK(stats.heap_bytes <= heap_limit);
    CHECK(stats.resident.bytes + stats.lent_bytes + stats.reserved_bytes <= store_size);
  }
};

std::string text(std::size_t index) {
  auto result = std::string(value_bytes, static_cast<char>('a' + index % 26));
  result.replace(0, 8, std::to_string(10'000'000 + index));
  return result;
}

/// Runs `body(index)` on several threads at once and waits for them.
template <class F>
void in_threads(int count, F body) {
  std::vector<std::thread> threads;
  for (int index = 0; index < count; ++index)
    threads.emplace_back([&body, index] { body(index); });
  for (auto& thread : threads)
    thread.join();
}

} // namespace

TEST_CASE_FIXTURE(pressed_node,
                  "150 MiB of values of 16 KB stay within a small heap and a store of 64 MB") {
  if (test::has_thread_sanitizer) {
    MESSAGE("skipped: it has one thread, and takes an hour under ThreadSanitizer");
    return;
  }
  constexpr std::size_t count = (150ULL << 20U) / value_bytes;
  std::vector<text_ref> held;
  for (std::size_t index = 0; index < count; ++index) {
    held.push_back(node.put(text(index)));
    if (index % 1'000 == 0)
      check_limits();
  }
  check_limits();
  CHECK(node.stats().spilled.bytes > 60'000'000);
  std::size_t wrong = 0;
  for (std::size_t index = 0; index < count; ++index)
    wrong += node.get(held[index]).copy() == text(index) ? 0 : 1;
  CHECK(wrong == 0);
}

TEST_CASE_FIXTURE(pressed_node, "views of many threads keep their bytes while other values move") {
  std::atomic<std::size_t> wrong = 0;
  in_threads(4, [&](int thread) {
    std::mt19937_64 random{static_cast<std::uint64_t>(thread)};
    std::vector<std::pair<std::size_t, text_ref>> held;
    std::vector<std::pair<std::size_t, view<std::string>>> views;
    for (std::size_t round = 0; round < rounds; ++round) {
      auto number = static_cast<std::size_t>(thread) * 100'000 + round;
      held.emplace_back(number, node.put(text(number)));
      auto& [read, ref] = held[random() % held.size()];
      views.emplace_back(read, node.get(ref));
      if (views.size() > 40)
        views.erase(views.begin() + static_cast<std::ptrdiff_t>(random() % views.size()));
      const auto& [seen, seen_view] = views[random() % views.size()];
      auto expected = text(seen);
      wrong += *seen_view == expected
                   && std::ranges::equal(seen_view.raw_bytes(), std::as_bytes(std::span{expected}))
                 ? 0
                 : 1;
    }
  });
  CHECK(wrong == 0);
  CHECK(node.stats().left_heap.objects > 0);
}

TEST_CASE_FIXTURE(pressed_node, "an actor's puts are never held up, whatever the heap has") {
  std::vector<ObjectRef<std::string>> held;
  auto small = std::string(4'000, 's');
  std::atomic<bool> done = false;
  system.spawn([&](caf::event_based_actor*) {
    for (int count = 0; count < 6'000; ++count)
      held.push_back(node.put(small));
    done = true;
    done.notify_all();
  });
  done.wait(false);
  CHECK(held.size() == 6'000);
  CHECK(node.stats().heap_bytes == 24'000'000);
}

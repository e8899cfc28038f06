// Threads of one reader process that share one bit of a slot.

#include "mobula/store/arena/slot_pins.hpp"
#include "reclaiming.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace mobula;

namespace {

/// One reader process of one slot.
struct process {
  reader_index reader;
  slot_pins pins{};

  bool pin(slot_word& word) {
    return pins.try_pin(word, reader);
  }

  unpin_result unpin(slot_word& word) {
    return pins.unpin(word, reader);
  }
};

} // namespace

TEST_CASE("the first pin of a process sets its bit, the last unpin clears it") {
  slot_word word;
  word.publish();
  process us{reader_index{3}};
  REQUIRE(us.pin(word));
  REQUIRE(us.pin(word));
  us.pins.add_pin();
  CHECK(word.readers() == set_of(us.reader));
  CHECK(us.unpin(word) == unpin_result::nothing);
  CHECK(us.unpin(word) == unpin_result::nothing);
  CHECK(word.readers() == set_of(us.reader));
  CHECK(us.unpin(word) == unpin_result::nothing);
  CHECK(word.readers() == reader_set{});
  CHECK_FALSE(us.pins.pinned());
}

TEST_CASE("a process that is refused has pinned nothing") {
  slot_word word;
  process us{reader_index{3}};
  CHECK_FALSE(us.pin(word));
  CHECK_FALSE(us.pins.pinned());
}

TEST_CASE("only the last thread of the last process reports") {
  slot_word word;
  word.publish();
  process us{reader_index{0}};
  process others{reader_index{1}};
  REQUIRE(us.pin(word));
  REQUIRE(us.pin(word));
  REQUIRE(others.pin(word));
  CHECK(word.doom() == reclaim_result::pinned);
  us.pins.add_pin();
  CHECK(us.unpin(word) == unpin_result::nothing);
  CHECK(others.unpin(word) == unpin_result::nothing);
  CHECK(us.unpin(word) == unpin_result::nothing);
  CHECK(us.unpin(word) == unpin_result::tell_shard);
  CHECK(word.doom() == reclaim_result::reclaimed);
}

namespace {

/// An object whose memory the shard reuses as soon as it may. Deliberately not atomic: a thread
/// sanitizer sees every read that the pins do not protect.
struct shared_object {
  slot_word word;
  std::array<std::uint64_t, 8> bytes{};
  std::atomic<std::uint64_t> reports{0};

  void fill(std::uint64_t value) {
    bytes.fill(value);
    word.publish();
  }

  /// Returns how often the object changed, or its bit was gone, while it was pinned.
  std::uint64_t read_often(process& by, int rounds) {
    std::uint64_t changed = 0;
    for (int i = 0; i < rounds; ++i) {
      if (!by.pin(word)) {
        std::this_thread::yield();
        continue;
      }
      auto whole = std::ranges::count(bytes, bytes.front()) == 8;
      auto bit = static_cast<std::uint64_t>(set_of(by.reader));
      changed += !whole || (static_cast<std::uint64_t>(word.readers()) & bit) == 0 ? 1 : 0;
      if (by.unpin(word) == unpin_result::tell_shard)
        reports.fetch_add(1);
    }
    return changed;
  }
};

} // namespace

TEST_CASE("threads of two processes see whole objects while the shard reuses the memory") {
  shared_object object;
  object.fill(1);
  std::array<process, 2> processes{process{reader_index{0}}, process{reader_index{1}}};
  std::atomic<std::uint64_t> changed{0};
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < 4; ++i)
    threads.emplace_back([&, i] { changed += object.read_often(processes[i / 3], 100'000); });
  for (std::uint64_t value = 2; value < 1'000; ++value) {
    test::reclaim_by_reports(object.reports, [&] { return object.word.try_withdraw(); });
    object.fill(value);
  }
  threads.clear();
  CHECK(changed == 0);
  CHECK(object.word.readers() == reader_set{});
}

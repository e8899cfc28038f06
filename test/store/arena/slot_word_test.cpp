// The word between reader processes and the shard that wants a slot back, in single steps and under
// many threads.

#include "mobula/store/arena/slot_word.hpp"
#include "reclaiming.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace mobula;

namespace {

constexpr reader_index first{0};
constexpr reader_index second{1};
constexpr reader_index last{max_arena_readers - 1};

/// A word with an object in it.
struct published_word : slot_word {
  published_word() {
    publish();
  }
};

} // namespace

TEST_CASE("a word of zeros is an empty slot that refuses readers") {
  slot_word word;
  CHECK(word.empty());
  CHECK_FALSE(word.open());
  CHECK_FALSE(word.try_pin(first));
  CHECK(word.empty());
}

TEST_CASE("an object without readers is withdrawn, and its slot is empty") {
  published_word word;
  CHECK(word.open());
  CHECK(word.try_withdraw() == reclaim_result::reclaimed);
  CHECK(word.empty());
  CHECK_FALSE(word.try_pin(first));
}

TEST_CASE("the last of several readers reports, once, after a refused withdrawal") {
  published_word word;
  REQUIRE(word.try_pin(first));
  CHECK(word.try_withdraw() == reclaim_result::pinned);
  REQUIRE(word.try_pin(last));
  CHECK(word.unpin(first) == unpin_result::nothing);
  CHECK(word.unpin(last) == unpin_result::tell_shard);
  REQUIRE(word.try_pin(second));
  CHECK(word.unpin(second) == unpin_result::nothing);
  CHECK(word.try_withdraw() == reclaim_result::reclaimed);
}

TEST_CASE("readers of an object in shared memory that nobody asked for do not report") {
  published_word word;
  REQUIRE(word.try_pin(first));
  CHECK(word.unpin(first) == unpin_result::nothing);
}

TEST_CASE("a look marks an object that has readers, and leaves one without as it is") {
  published_word word;
  CHECK(word.look() == pin_state::idle);
  REQUIRE(word.try_pin(first));
  CHECK(word.look() == pin_state::pinned);
  CHECK(word.unpin(first) == unpin_result::tell_shard);
}

TEST_CASE("a doomed object refuses readers, and is gone once its last one has reported") {
  published_word word;
  REQUIRE(word.try_pin(first));
  REQUIRE(word.try_pin(second));
  CHECK(word.doom() == reclaim_result::pinned);
  CHECK_FALSE(word.try_pin(last));
  CHECK(word.unpin(second) == unpin_result::nothing);
  CHECK(word.unpin(first) == unpin_result::tell_shard);
  CHECK(word.doom() == reclaim_result::reclaimed);
  CHECK(word.empty());
}

TEST_CASE("a watched object that is looked at after its doom is empty in the end") {
  published_word word;
  REQUIRE(word.try_pin(first));
  CHECK(word.try_withdraw() == reclaim_result::pinned);
  CHECK(word.doom() == reclaim_result::pinned);
  CHECK(word.look() == pin_state::pinned);
  CHECK(word.unpin(first) == unpin_result::tell_shard);
  CHECK(word.doom() == reclaim_result::reclaimed);
  CHECK(word.empty());
}

TEST_CASE("the bits of dead readers are dropped, those of others and the marks stay") {
  published_word word;
  REQUIRE(word.try_pin(first));
  REQUIRE(word.try_pin(second));
  REQUIRE(word.try_pin(last));
  CHECK(word.try_withdraw() == reclaim_result::pinned);
  word.drop_dead(reader_set{static_cast<std::uint64_t>(set_of(first))
                            | static_cast<std::uint64_t>(set_of(last))});
  CHECK(word.readers() == set_of(second));
  CHECK(word.unpin(second) == unpin_result::tell_shard);
}

TEST_CASE("a bit that somebody else cleared is no last reader") {
  published_word word;
  REQUIRE(word.try_pin(first));
  CHECK(word.look() == pin_state::pinned);
  word.drop_dead(set_of(first));
  CHECK(word.unpin(first) == unpin_result::nothing);
}

namespace {

/// An object whose memory the shard reuses as soon as it may. Deliberately not atomic: a thread
/// sanitizer sees every read that the bit does not protect.
struct shared_object {
  slot_word word;
  std::array<std::uint64_t, 8> bytes{};
  std::atomic<std::uint64_t> reports{0};

  void fill(std::uint64_t value) {
    bytes.fill(value);
    word.publish();
  }
};

enum class read_result { whole, changed, refused };

read_result read_once(shared_object& object, reader_index reader) {
  if (!object.word.try_pin(reader))
    return read_result::refused;
  auto first_value = object.bytes.front();
  auto whole = std::ranges::count(object.bytes, first_value) == 8;
  if (object.word.unpin(reader) == unpin_result::tell_shard)
    object.reports.fetch_add(1);
  return whole ? read_result::whole : read_result::changed;
}

} // namespace

TEST_CASE("readers with a bit each see whole objects while the shard reuses the memory") {
  shared_object object;
  object.fill(1);
  std::atomic<std::uint64_t> changed{0};
  std::vector<std::jthread> readers;
  for (std::uint8_t i = 0; i < 3; ++i)
    readers.emplace_back([&, i] {
      for (int round = 0; round < 20'000; ++round)
        changed += read_once(object, reader_index{i}) == read_result::changed ? 1 : 0;
    });
  for (std::uint64_t value = 2; value < 2'000; ++value) {
    test::reclaim_by_reports(object.reports, [&] { return object.word.try_withdraw(); });
    object.fill(value);
  }
  readers.clear();
  CHECK(changed == 0);
}

TEST_CASE("of all readers of a doomed object in shared memory exactly one reports") {
  for (int round = 0; round < 300; ++round) {
    shared_object object;
    object.fill(1);
    auto result = reclaim_result::reclaimed;
    {
      std::vector<std::jthread> readers;
      for (std::uint8_t i = 0; i < 3; ++i)
        readers.emplace_back([&, i] {
          while (read_once(object, reader_index{i}) != read_result::refused)
            std::this_thread::yield();
        });
      result = object.word.doom();
    }
    CHECK(object.reports == (result == reclaim_result::pinned ? 1 : 0));
    CHECK(object.word.doom() == reclaim_result::reclaimed);
  }
}

// The word between the readers of a copy and the shard that wants its memory, in single steps and
// under many threads.

#include "mobula/store/arena/pin_word.hpp"
#include "reclaiming.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace mobula;

TEST_CASE("a word without a copy refuses readers") {
  pin_word word;
  CHECK_FALSE(word.try_pin());
  word.reset();
  CHECK(word.try_pin());
}

TEST_CASE("a copy without readers is reclaimed, and then refuses readers until it is reset") {
  pin_word word;
  word.reset();
  CHECK(word.try_reclaim() == reclaim_result::reclaimed);
  CHECK_FALSE(word.try_pin());
  word.reset();
  CHECK(word.try_pin());
}

TEST_CASE("a pinned copy is not reclaimed, goes on taking readers, and reports the last one") {
  pin_word word;
  word.reset();
  REQUIRE(word.try_pin());
  CHECK(word.try_reclaim() == reclaim_result::pinned);
  REQUIRE(word.try_pin());
  CHECK(word.unpin() == unpin_result::nothing);
  CHECK(word.unpin() == unpin_result::tell_shard);
  CHECK(word.try_reclaim() == reclaim_result::reclaimed);
}

TEST_CASE("a look at a pinned copy makes its last reader report once") {
  pin_word word;
  word.reset();
  CHECK(word.look() == pin_state::idle);
  REQUIRE(word.try_pin());
  CHECK(word.look() == pin_state::pinned);
  CHECK(word.unpin() == unpin_result::tell_shard);
  REQUIRE(word.try_pin());
  CHECK(word.unpin() == unpin_result::nothing);
}

TEST_CASE("readers of a copy that nobody asked for do not report") {
  pin_word word;
  word.reset();
  REQUIRE(word.try_pin());
  CHECK(word.unpin() == unpin_result::nothing);
}

TEST_CASE("a doomed copy refuses new readers, and its last one reports") {
  pin_word word;
  word.reset();
  REQUIRE(word.try_pin());
  REQUIRE(word.try_pin());
  CHECK(word.doom() == reclaim_result::pinned);
  CHECK_FALSE(word.try_pin());
  CHECK(word.unpin() == unpin_result::nothing);
  CHECK(word.unpin() == unpin_result::tell_shard);
  CHECK(word.doom() == reclaim_result::reclaimed);
}

TEST_CASE("a copy that was watched and then doomed reports once more") {
  pin_word word;
  word.reset();
  REQUIRE(word.try_pin());
  CHECK(word.look() == pin_state::pinned);
  CHECK(word.doom() == reclaim_result::pinned);
  CHECK(word.unpin() == unpin_result::tell_shard);
  CHECK(word.doom() == reclaim_result::reclaimed);
  word.reset();
  CHECK(word.try_pin());
}

TEST_CASE("the stamp of the last use is forgotten with the copy") {
  pin_word word;
  word.reset();
  word.touch(use_stamp{5});
  CHECK(word.last_use() == use_stamp{5});
  CHECK(word.try_reclaim() == reclaim_result::reclaimed);
  word.reset();
  CHECK(word.last_use() == use_stamp{});
}

TEST_CASE("a copy that is given back to its readers keeps the stamp of its last use") {
  pin_word word;
  word.reset();
  word.touch(use_stamp{5});
  REQUIRE(word.try_reclaim() == reclaim_result::reclaimed);
  word.reopen();
  CHECK(word.last_use() == use_stamp{5});
  REQUIRE(word.try_close());
  CHECK_FALSE(word.try_pin());
  word.reopen();
  CHECK(word.last_use() == use_stamp{5});
  CHECK(word.try_pin());
}

TEST_CASE("the pins of a dead process can be dropped, and a doomed copy stays doomed") {
  pin_word word;
  word.reset();
  REQUIRE(word.try_pin());
  CHECK(word.doom() == reclaim_result::pinned);
  word.clear_dead_reader();
  CHECK_FALSE(word.try_pin());
  CHECK(word.doom() == reclaim_result::reclaimed);
}

namespace {

/// Memory that the shard reuses as soon as it may. It is deliberately not atomic: a thread
/// sanitizer sees every read that the pin does not protect.
struct shared_copy {
  pin_word word;
  std::array<std::uint64_t, 8> bytes{};
  std::atomic<std::uint64_t> reports{0};

  void fill(std::uint64_t value) {
    bytes.fill(value);
    word.reset();
  }
};

/// Returns how often the copy changed while it was pinned.
std::uint64_t read_often(shared_copy& copy, int rounds) {
  std::uint64_t torn = 0;
  for (int i = 0; i < rounds; ++i) {
    if (!copy.word.try_pin()) {
      std::this_thread::yield();
      continue;
    }
    auto first = copy.bytes.front();
    copy.word.touch(use_stamp{static_cast<std::uint32_t>(i)});
    for (auto value : copy.bytes)
      torn += value != first ? 1 : 0;
    if (copy.word.unpin() == unpin_result::tell_shard)
      copy.reports.fetch_add(1);
  }
  return torn;
}

} // namespace

TEST_CASE("threads that read while the shard reclaims and reuses the memory see whole copies") {
  shared_copy copy;
  copy.fill(1);
  std::atomic<std::uint64_t> torn{0};
  std::vector<std::jthread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] { torn += read_often(copy, 20'000); });
  for (std::uint64_t value = 2; value < 2'000; ++value) {
    test::reclaim_by_reports(copy.reports, [&] { return copy.word.try_reclaim(); });
    copy.fill(value);
  }
  readers.clear();
  CHECK(torn == 0);
}

TEST_CASE("of all readers of a doomed copy exactly one reports") {
  for (int round = 0; round < 300; ++round) {
    shared_copy copy;
    copy.fill(1);
    auto result = reclaim_result::reclaimed;
    {
      std::vector<std::jthread> readers;
      for (int i = 0; i < 3; ++i)
        readers.emplace_back([&] { read_often(copy, 50); });
      result = copy.word.doom();
    }
    CHECK(copy.reports == (result == reclaim_result::pinned ? 1 : 0));
    CHECK(copy.word.doom() == reclaim_result::reclaimed);
  }
}

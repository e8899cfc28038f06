// How an arena's heap gives out extents and takes them back, also after an hour of load.

#include "mobula/store/arena/arena_heap.hpp"

#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

using namespace mobula;

namespace {

constexpr std::uint64_t kib = 1'024;
constexpr std::uint64_t mib = 1'024 * kib;
constexpr arena_range small_heap{mib, 4 * mib};
constexpr arena_range large_heap{mib, 1'024 * mib};

struct heap_fixture {
  arena_heap heap{small_heap};

  arena_range take(std::uint64_t size) {
    auto result = heap.allocate(size);
    REQUIRE(result);
    heap.committed(result->to_commit);
    heap.check_invariants();
    return result->extent;
  }

  void give(arena_range extent) {
    heap.free(extent);
    heap.check_invariants();
  }
};

/// An hour of puts and drops: log-uniform sizes, every object as likely to die as any other.
class load {
public:
  explicit load(std::uint64_t seed) : random_{seed} {
  }

  /// Keeps the heap between 70 % and 80 % full, as far as what is asked for fits.
  void run(int operations) {
    auto filling = true;
    for (int i = 0; i < operations; ++i) {
      if (heap.used_bytes() > large_heap.size / 10 * 8)
        filling = false;
      if (heap.used_bytes() < large_heap.size / 10 * 7)
        filling = true;
      if (filling || live_.empty())
        put();
      else
        drop();
    }
  }

  void drop_down_to(std::uint64_t bytes) {
    while (heap.used_bytes() > bytes)
      drop();
  }

  std::uint64_t live_bytes() const {
    std::uint64_t sum = 0;
    for (const auto& extent : live_)
      sum += extent.size;
    return sum;
  }

  arena_heap heap{large_heap};
  int misfits = 0; ///< free memory was enough in sum, but no extent was

private:
  void put() {
    constexpr double least = 100 * kib;
    constexpr double most = 8 * mib;
    auto position = std::uniform_real_distribution{0.0, 1.0}(random_);
    auto size = static_cast<std::uint64_t>(least * std::pow(most / least, position));
    if (auto result = heap.allocate(size)) {
      heap.committed(result->to_commit);
      live_.push_back(result->extent);
    } else {
      ++misfits;
      drop();
    }
  }

  void drop() {
    auto victim = std::uniform_int_distribution<std::size_t>{0, live_.size() - 1}(random_);
    heap.free(std::exchange(live_[victim], live_.back()));
    live_.pop_back();
  }

  std::mt19937_64 random_;
  std::vector<arena_range> live_;
};

} // namespace

TEST_CASE_FIXTURE(heap_fixture, "extents are aligned, disjoint, and counted by what they take") {
  auto first = take(1);
  auto second = take(100);
  auto empty = take(0);
  CHECK(first == arena_range{mib, 64});
  CHECK(second == arena_range{mib + 64, 128});
  CHECK(empty == arena_range{mib + 192, 64});
  CHECK(heap.used_bytes() == 256);
  CHECK(heap.free_bytes() == small_heap.size - 256);
}

TEST_CASE_FIXTURE(heap_fixture, "large objects start with a page, wherever free memory begins") {
  auto small = take(100);
  auto large = take(arena_heap::large_object_bytes + 1);
  CHECK(large.offset % arena_heap::page_alignment == 0);
  CHECK(large.size == arena_heap::large_object_bytes + arena_heap::page_alignment);
  CHECK(take(100).offset == small.end());
  give(small);
  CHECK(heap.used_bytes() == large.size + 128);
}

TEST_CASE_FIXTURE(heap_fixture,
                  "a free extent that begins within a page is passed over if need be") {
  take(64);
  auto within = take(arena_heap::large_object_bytes - 64);
  take(64);
  give(within);
  CHECK(take(arena_heap::large_object_bytes - 64) == within);
  give(within);
  CHECK(take(arena_heap::large_object_bytes).offset > within.end());
}

TEST_CASE_FIXTURE(heap_fixture, "a large object takes an extent that fits it exactly") {
  auto exact = take(arena_heap::large_object_bytes);
  take(64);
  give(exact);
  CHECK(take(arena_heap::large_object_bytes) == exact);
}

TEST_CASE_FIXTURE(heap_fixture,
                  "of extents that are just large enough one that begins well is found") {
  constexpr auto large = arena_heap::large_object_bytes;
  take(64);
  auto badly = take(large - 64);
  take(64);
  auto gap = take(large + arena_heap::page_alignment);
  take(64);
  while (heap.largest_free() >= large)
    take(heap.largest_free());
  give(badly);
  give(gap);
  CHECK(take(large).offset == gap.offset);
}

TEST_CASE_FIXTURE(heap_fixture, "only committed memory is given when that is asked for") {
  auto first = take(mib);
  CHECK_FALSE(heap.allocate_committed(mib));
  auto second = take(mib);
  give(first);
  CHECK(heap.allocate_committed(mib) == first);
  give(second);
  // From here to the mark it is committed, behind it not.
  CHECK(heap.allocate_committed(mib) == second);
  CHECK_FALSE(heap.allocate_committed(64));
  heap.check_invariants();
}

TEST_CASE_FIXTURE(heap_fixture, "the largest size that is told fits") {
  take(64);
  CHECK(take(heap.largest_free()).offset == small_heap.offset + arena_heap::page_alignment);
  CHECK(take(heap.largest_free()).offset == small_heap.offset + 64);
  CHECK(heap.free_bytes() == 0);
}

TEST_CASE_FIXTURE(heap_fixture, "neighbours merge, in whatever order they are freed") {
  for (auto order : {std::vector{0, 1, 2}, {2, 1, 0}, {0, 2, 1}, {1, 0, 2}}) {
    std::vector extents{take(kib), take(kib), take(kib)};
    for (auto index : order)
      give(extents[static_cast<std::size_t>(index)]);
    CHECK(heap.free_extents() == 1);
    CHECK(heap.largest_free() == small_heap.size);
  }
}

TEST_CASE_FIXTURE(heap_fixture, "the smallest extent that fits is taken") {
  auto large = take(100 * kib);
  take(64);
  auto small = take(10 * kib);
  take(64);
  give(large);
  give(small);
  CHECK(take(9 * kib).offset == small.offset);
  CHECK(take(20 * kib).offset == large.offset);
}

TEST_CASE_FIXTURE(heap_fixture, "freed memory is used again before fresh memory") {
  auto used = take(2 * mib);
  take(64);
  give(used);
  auto end = heap.committed_end();
  take(mib);
  take(mib);
  CHECK(heap.committed_end() == end);
}

TEST_CASE_FIXTURE(heap_fixture, "one object may take the whole heap, and no more") {
  CHECK_FALSE(heap.allocate(small_heap.size + 1));
  CHECK_FALSE(heap.allocate(~std::uint64_t{0}));
  auto all = take(small_heap.size);
  CHECK(heap.largest_free() == 0);
  CHECK_FALSE(heap.allocate(0));
  give(all);
  CHECK(heap.largest_free() == small_heap.size);
}

TEST_CASE_FIXTURE(heap_fixture, "a stock of committed memory is planned, and used first") {
  CHECK(heap.next_commit(0) == std::nullopt);
  auto plan = heap.next_commit(mib);
  REQUIRE(plan == arena_range{mib, mib});
  heap.committed(*plan);
  CHECK(heap.committed_free() == mib);
  CHECK(heap.next_commit(mib) == std::nullopt);
  CHECK(heap.allocate(300 * kib)->to_commit.size == 0);
  heap.check_invariants();
  CHECK(heap.next_commit(mib) == arena_range{2 * mib, 320 * kib});
  CHECK(heap.next_commit(100 * mib) == arena_range{2 * mib, 3 * mib});
}

TEST_CASE_FIXTURE(heap_fixture, "the stock grows with what is in use, within its bounds") {
  const page_stock stock{128 * kib, mib};
  CHECK(heap.next_commit(stock) == arena_range{mib, 128 * kib});
  for (auto [used, wanted] : {std::pair{128 * kib, 128 * kib}, {64 * kib, 192 * kib}, {mib, mib}}) {
    heap.committed(heap.allocate(used)->to_commit);
    heap.committed(*heap.next_commit(stock));
    CHECK(heap.committed_free() == wanted);
    CHECK(heap.next_commit(stock) == std::nullopt);
  }
}

TEST_CASE_FIXTURE(heap_fixture, "what was freed is stock, however little is in use then") {
  const page_stock stock{128 * kib, 4 * mib};
  auto block = heap.allocate(2 * mib);
  heap.committed(block->to_commit);
  heap.free(block->extent);
  CHECK(heap.next_commit(stock) == std::nullopt);
  CHECK(heap.committed_free() == 2 * mib);
}

TEST_CASE_FIXTURE(heap_fixture, "the stock ends where the heap does") {
  heap.committed(*heap.next_commit(100 * mib));
  CHECK(heap.committed_free() == small_heap.size);
  CHECK(heap.next_commit(100 * mib) == std::nullopt);
}

TEST_CASE_FIXTURE(heap_fixture, "commits that end in another order than they began leave no hole") {
  auto first = heap.allocate(mib);
  auto second = heap.allocate(mib);
  CHECK(second->to_commit == arena_range{mib, 2 * mib});
  heap.committed(second->to_commit);
  heap.committed(first->to_commit);
  CHECK(heap.committed_end() == 3 * mib);
  heap.check_invariants();
}

TEST_CASE_FIXTURE(heap_fixture, "an extent whose commit failed goes back as fresh memory") {
  auto failed = heap.allocate(mib);
  auto behind = heap.allocate(mib);
  heap.free(failed->extent);
  heap.check_invariants();
  CHECK(heap.committed_free() == 0);
  heap.committed(behind->to_commit);
  heap.check_invariants();
  CHECK(heap.committed_free() == mib);
}

TEST_CASE("after an hour of load at most 1 put in 100 found no space, and large objects fit") {
  std::uint64_t smallest_share = 100;
  int misfits = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    constexpr int operations = 200'000;
    load work{seed};
    work.run(operations);
    work.heap.check_invariants();
    REQUIRE(work.heap.used_bytes() == work.live_bytes());
    CHECK(work.misfits <= operations / 100);
    misfits += work.misfits;
    work.drop_down_to(large_heap.size / 2);
    work.heap.check_invariants();
    REQUIRE(work.heap.used_bytes() == work.live_bytes());
    smallest_share =
      std::min(smallest_share, 100 * work.heap.largest_free() / work.heap.free_bytes());
    work.drop_down_to(0);
    REQUIRE(work.heap.free_extents() == 1);
    REQUIRE(work.heap.largest_free() == large_heap.size);
  }
  MESSAGE("largest free extent of a half-full heap: at least ", smallest_share,
          " % of what is free; puts without space: ", misfits);
  // Six times the largest object that was ever put.
  CHECK(smallest_share >= 10);
}

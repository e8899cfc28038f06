// Memory that the system has no more of: what was committed before is used again.

#include <fstream>

#include <sys/mount.h>

#include "mobula/store/arena/shared_heap.hpp"

#include <doctest/doctest.h>

#include "arena_fixture.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr std::uint64_t mib = std::uint64_t{1} << 20;

/// An arena of 8 MiB on a tmpfs of which somebody takes what is left.
struct crowded_directory : arena_fixture {
  std::shared_ptr<shared_heap> heap;
  bool mounted = ::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=16m") == 0;

  crowded_directory() {
    if (!mounted)
      MESSAGE("skipped: mounting a tmpfs needs privileges");
    else
      heap = shared_heap::make(std::make_shared<arena_segment>(create(layout())));
  }

  ~crowded_directory() {
    heap.reset();
    if (mounted)
      CHECK(::umount2(directory.path().c_str(), MNT_DETACH) == 0);
  }

  void take_the_rest() const {
    std::ofstream rival{directory.path() / "rival"};
    rival << std::string(16 * mib, 'x');
  }
};

} // namespace

TEST_CASE_FIXTURE(crowded_directory, "committed memory is used again when there is no other") {
  if (!mounted)
    return;
  {
    auto first = heap->allocate(2 * mib);
    auto second = heap->allocate(1 * mib);
    take_the_rest();
    first.reset();
    CHECK_FALSE(heap->allocate(3 * mib));
    CHECK(heap->shortage());
    CHECK(heap->allocate(2 * mib));
    auto small = heap->allocate(1 * mib);
    CHECK(small);
  }
  CHECK(heap->allocate(3 * mib));
  heap->check_invariants();
}

TEST_CASE_FIXTURE(crowded_directory,
                  "what the system refuses a creator is not counted as faulted in") {
  if (!mounted)
    return;
  auto held = heap->allocate(1 * mib);
  auto before = heap->figures().late_commit_bytes;
  CHECK(before > 0);
  take_the_rest();
  CHECK_FALSE(heap->allocate(3 * mib));
  CHECK(heap->figures().late_commit_bytes == before);
}

TEST_CASE_FIXTURE(crowded_directory, "a stock that finds no memory is no shortage, and waits") {
  if (!mounted)
    return;
  constexpr page_stock stock{4 * mib, 4 * mib};
  auto held = heap->allocate(1 * mib);
  take_the_rest();
  REQUIRE(heap->below_stock(stock));
  CHECK_FALSE(heap->fill(stock, 1 * mib));
  CHECK_FALSE(heap->shortage());
  CHECK_FALSE(heap->below_stock(stock));
  SUBCASE("until memory is freed") {
    held.reset();
  }
  SUBCASE("until a creator gets more") {
    std::filesystem::remove(directory.path() / "rival");
    CHECK(heap->allocate(2 * mib));
  }
  CHECK(heap->below_stock(stock));
}

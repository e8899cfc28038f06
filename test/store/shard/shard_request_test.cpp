// Requests that meet others: readers of what waits or is on its way, those that come back, and
// those that overtake.

#include "shard_shell.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr store_config plain{.capacity_bytes = 100, .spill_threshold = 1.0, .low_water = 1.0};

/// Nobody overtakes.
constexpr store_config in_order{
  .capacity_bytes = 100, .spill_threshold = 1.0, .low_water = 1.0, .overtaking_window = 0};

/// A store of 100 bytes in which objects 1 to 5 of 20 bytes lie side by side, all pinned.
struct pinned_heap : shard_shell {
  explicit pinned_heap(store_config config = in_order) : shard_shell(config) {
    heap.emplace(100);
    for (std::uint64_t number = 1; number <= 5; ++number) {
      put(number, 20, copy_kind::secondary);
      pin(number);
    }
  }

  void free(std::uint64_t number) {
    release(number);
    unpin(number);
  }
};

} // namespace

// -- readers --------------------------------------------------------------------

TEST_CASE("a reader that asks for an object while it is written is served at once") {
  shard_shell shell;
  shell.put(1, 100);
  shell.create(2, 10);
  REQUIRE(shell.spills.size() == 1);
  shell.request(50, 1);
  CHECK(shell.was_served(50));
}

TEST_CASE("a reader that goes leaves the create that it waited for") {
  shard_shell shell;
  shell.create(1, 100);
  shell.create(2, 50);
  shell.request(50, 2);
  shell.cancel(50);
  shell.abort(1);
  CHECK(shell.was_granted(2));
  shell.seal(2);
  CHECK_FALSE(shell.was_served(50));
}

TEST_CASE("readers of a create that is refused hear that its object is not here") {
  shard_shell shell;
  shell.put(1, 100);
  shell.pin(1);
  shell.create(2, 50);
  shell.request(50, 2);
  shell.give_up();
  CHECK(shell.refused(2) == refusal::store_full);
  CHECK(shell.refused(50) == refusal::not_here);
}

TEST_CASE("a reader that waits for an answer about its copy is served if the copy is pinned") {
  shard_shell shell{plain, answers::late};
  shell.put(1, 100, copy_kind::secondary);
  shell.create(2, 50);
  shell.request(50, 1);
  REQUIRE(shell.pin(1));
  shell.answer(0);
  CHECK(shell.was_served(50));
}

TEST_CASE("a reader that waits for an answer about its copy is served while that is written") {
  shard_shell shell{plain, answers::late};
  shell.put(1, 100);
  shell.create(2, 50);
  shell.request(50, 1);
  CHECK_FALSE(shell.was_served(50));
  shell.answer(0);
  CHECK(shell.spills.size() == 1);
  CHECK(shell.was_served(50));
}

TEST_CASE_FIXTURE(spilled_fixture,
                  "a restore whose reader went and that has no memory is given up") {
  release(2);
  event([&](auto& out) {
    table.request_copy(token_number(50), object_number(1), out);
    table.cancel(token_number(50), out);
    out.clear();
    table.memory_refused(object_number(1), out);
  });
  CHECK(restores.empty());
  CHECK(table.stats().waiting.objects == 0);
  CHECK(table.stats().spilled.objects == 1);
}

// -- order ----------------------------------------------------------------------

TEST_CASE_FIXTURE(pinned_heap, "a create that comes back for want of memory keeps its place") {
  free(1);
  free(3);
  create(6, 40);
  create(7, 40);
  REQUIRE(memory_refusals == 1);
  free(5);
  REQUIRE(memory_refusals == 2);
  free(2);
  CHECK(was_granted(6));
  CHECK_FALSE(was_granted(7));
}

TEST_CASE("what is larger than the least size that found no memory is not tried") {
  pinned_heap shell{plain};
  for (std::uint64_t number : {1, 3, 5})
    shell.free(number);
  shell.create(6, 60);
  shell.create(7, 21);
  REQUIRE(shell.memory_refusals == 2);
  shell.create(8, 25);
  CHECK(shell.memory_refusals == 2);
}

TEST_CASE("a restore lines up behind the creates that came before it") {
  shard_shell shell{in_order};
  shell.put(1, 60);
  shell.create(2, 60);
  shell.finish_spill();
  shell.create(3, 60);
  shell.request(50, 1);
  shell.abort(2);
  CHECK(shell.was_granted(3));
  CHECK(shell.restores.empty());
}

TEST_CASE("a restore that fits does not pass those who wait") {
  shard_shell shell{in_order};
  shell.put(1, 5);
  shell.create(2, 100);
  shell.finish_spill();
  shell.abort(2);
  shell.create(3, 60);
  shell.create(4, 60);
  shell.request(50, 1);
  CHECK(shell.restores.empty());
  shell.abort(3);
  CHECK(shell.was_granted(4));
  CHECK(shell.restores.size() == 1);
}

// -- overtaking -----------------------------------------------------------------

TEST_CASE("a request may be overtaken by exactly as many bytes as it wants") {
  shard_shell shell;
  shell.create(1, 60);
  shell.create(2, 50);
  shell.create(3, 40);
  shell.abort(3);
  shell.create(4, 11);
  CHECK_FALSE(shell.was_granted(4));
  shell.create(5, 10);
  CHECK(shell.was_granted(5));
  CHECK(shell.table.stats().overtakings == 2);
}

TEST_CASE("one that does not fit keeps none behind it from overtaking") {
  shard_shell shell;
  shell.create(1, 60);
  shell.create(2, 90);
  shell.create(3, 80);
  shell.create(4, 40);
  CHECK(shell.was_granted(4));
}

TEST_CASE_FIXTURE(spilled_fixture, "a restore that is asked for anew may be overtaken anew") {
  pin(2);
  request(50, 1);
  create(3, 40);
  REQUIRE(was_granted(3));
  abort(3);
  cancel(50);
  request(51, 1);
  create(4, 40);
  CHECK(was_granted(4));
}

// -- figures --------------------------------------------------------------------

TEST_CASE("waits, refusals and stalls are counted") {
  shard_shell shell;
  shell.create(1, 101);
  shell.put(2, 100);
  shell.pin(2);
  shell.create(3, 50);
  shell.create(4, 50);
  shell.give_up();
  auto stats = shell.table.stats();
  CHECK(stats.waits == 2);
  CHECK(stats.refusals == 2);
  CHECK(stats.stalls == 2);
  CHECK(stats.waiting == object_tally{1, 50});
}

TEST_CASE_FIXTURE(spilled_fixture,
                  "a restore that waits counts as a wait, one that finds space does not") {
  auto before = table.stats().waits;
  request(50, 1);
  CHECK(table.stats().waits == before + 1);
  cancel(50);
  release(2);
  finish_spill();
  request(51, 1);
  REQUIRE(restores.size() == 1);
  CHECK(table.stats().waits == before + 1);
}

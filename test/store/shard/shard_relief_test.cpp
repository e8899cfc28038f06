// The edges of relief: marks met exactly, spells and stalls that follow each other, and what of one
// request must not end another.

#include "shard_shell.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr store_config marked{.capacity_bytes = 100, .spill_threshold = 0.8, .low_water = 0.5};

} // namespace

// -- marks ----------------------------------------------------------------------

TEST_CASE("a store that is exactly at its threshold is calm") {
  shard_shell shell{marked};
  shell.put(1, 80);
  CHECK(shell.spills.empty());
  CHECK(shell.levels.empty());
}

TEST_CASE("relief ends exactly at the low-water mark") {
  shard_shell shell{marked};
  for (std::uint64_t number = 1; number <= 9; ++number)
    shell.put(number, 10);
  shell.finish_all_spills();
  REQUIRE(shell.table.used_bytes() == 50);
  CHECK(shell.table.pressure() == pressure_level::calm);
  shell.put(10, 10);
  CHECK(shell.spills.empty());
}

TEST_CASE("what waits for more than the low-water mark leaves free gets it") {
  shard_shell shell{marked};
  for (std::uint64_t number = 1; number <= 8; ++number)
    shell.put(number, 10);
  shell.create(9, 70);
  CHECK(shell.spills.size() == 5);
  shell.finish_all_spills();
  CHECK(shell.was_granted(9));
}

TEST_CASE("relief for a small request goes down to the low-water mark all the same") {
  shard_shell shell{marked};
  for (std::uint64_t number = 1; number <= 8; ++number)
    shell.put(number, 10);
  shell.create(9, 25);
  CHECK(shell.spills.size() == 3);
}

// -- spells ---------------------------------------------------------------------

TEST_CASE("a copy that was spared in one spell of pressure is taken in the next") {
  shard_shell shell;
  shell.put(1, 40, copy_kind::secondary);
  shell.put(2, 40, copy_kind::secondary);
  shell.touch(1);
  shell.create(3, 50);
  REQUIRE(shell.in_memory(1));
  shell.seal(3);
  shell.create(4, 30);
  CHECK_FALSE(shell.in_memory(1));
}

TEST_CASE("a copy that is not used again after a spell goes first in the next one") {
  shard_shell shell;
  shell.put(1, 40, copy_kind::secondary);
  shell.put(2, 40, copy_kind::secondary);
  shell.touch(1);
  shell.create(3, 50);
  shell.abort(3);
  shell.put(4, 40, copy_kind::secondary);
  shell.create(5, 50);
  CHECK_FALSE(shell.in_memory(1));
  CHECK(shell.in_memory(4));
}

TEST_CASE("a copy that is used again after a spell is spared in the next one too") {
  shard_shell shell;
  shell.put(1, 40, copy_kind::secondary);
  shell.put(2, 40, copy_kind::secondary);
  shell.touch(1);
  shell.create(3, 50);
  shell.abort(3);
  shell.put(4, 40, copy_kind::secondary);
  shell.touch(1);
  shell.create(5, 50);
  CHECK(shell.in_memory(1));
  CHECK_FALSE(shell.in_memory(4));
}

// -- stalls ---------------------------------------------------------------------

TEST_CASE("giving up on a stall that is over does not end the next") {
  shard_shell shell;
  shell.put(1, 100, copy_kind::secondary);
  shell.pin(1);
  shell.create(2, 50);
  auto first = shell.stall->number;
  shell.unpin(1);
  shell.seal(2);
  shell.pin(2);
  shell.create(3, 60);
  REQUIRE(shell.stall->number != first);
  shell.event([&](auto& out) { shell.table.give_up(first, out); });
  CHECK_FALSE(shell.refused(3));
  shell.give_up();
  CHECK(shell.refused(3) == refusal::store_full);
}

TEST_CASE("giving up grants what fits without those who are refused") {
  shard_shell shell{
    {.capacity_bytes = 100, .spill_threshold = 1.0, .low_water = 1.0, .overtaking_window = 0}};
  shell.put(1, 60);
  shell.create(2, 80);
  shell.create(3, 40);
  shell.fail_spill(spill_error::io_error);
  shell.give_up();
  CHECK(shell.refused(2) == refusal::out_of_disk);
  CHECK(shell.was_granted(3));
}

TEST_CASE("a stall that waited for a creator is another one when the creator is done") {
  shard_shell shell;
  shell.put(1, 100);
  shell.create(2, 50);
  shell.fail_spill(spill_error::io_error);
  shell.give_up();
  shell.release(1);
  shell.create(3, 100);
  shell.create(4, 10);
  REQUIRE(shell.stall->cause == stall_cause::creators);
  shell.seal(3);
  REQUIRE(shell.stall);
  CHECK(shell.stall->cause == stall_cause::disk);
  shell.give_up();
  CHECK(shell.refused(4) == refusal::out_of_disk);
}

TEST_CASE("a stall that waited for a creator's credit is one of readers when that is back") {
  shard_shell shell;
  shell.put(1, 60);
  shell.pin(1);
  shell.lend(30);
  shell.take_credit(30);
  shell.create(2, 50);
  REQUIRE(shell.stall->cause == stall_cause::creators);
  shell.take_back(30);
  REQUIRE(shell.stall);
  CHECK(shell.stall->cause == stall_cause::readers);
}

TEST_CASE("a refusal says what the store is used for") {
  shard_shell shell;
  shell.put(1, 50);
  shell.pin(1);
  shell.create(2, 20);
  shell.lend(10);
  shell.take_credit(10);
  shell.put(3, 15);
  shell.create(4, 40);
  shell.fail_spill(spill_error::io_error);
  REQUIRE(shell.stall);
  shell.give_up();
  auto use = shell.refusals.at(token_number(4)).use;
  CHECK(use.pinned_bytes == 50);
  CHECK(use.making_bytes == 20);
  CHECK(use.lent_bytes == 10);
  CHECK(use.kept_bytes == 15);
  CHECK(use.free_bytes() == 5);
}

// -- the end --------------------------------------------------------------------

TEST_CASE("shutting down waits for the answer to an open recall") {
  shard_shell shell{{.capacity_bytes = 100}, answers::late};
  shell.lend(10);
  shell.take_credit(10);
  shell.shut_down();
  shell.take_back(10);
  CHECK_FALSE(shell.drained);
  shell.answer_recall();
  CHECK(shell.drained);
}

// -- memory in pieces -------------------------------------------------------------

namespace {

/// A heap of 100 bytes: 40 of them for an object whose creator took credit, in the middle.
struct divided_heap : shard_shell {
  divided_heap() {
    heap.emplace(100);
    put(1, 30);
    lend(40);
    take_credit(40);
    REQUIRE(heap->take(object_number(2), 40));
    release(1);
  }

  void creator_gives_up() {
    heap->free(object_number(2));
    take_back(40);
  }
};

} // namespace

TEST_CASE_FIXTURE(divided_heap,
                  "what was refused since memory lies in pieces is tried when credit comes back") {
  create(3, 50);
  REQUIRE(memory_refusals == 1);
  creator_gives_up();
  CHECK(was_granted(3));
}

TEST_CASE_FIXTURE(divided_heap, "of two sizes that were refused the lesser one counts") {
  create(3, 50);
  create(4, 40);
  CHECK(memory_refusals == 2);
  create(5, 45);
  create(6, 10);
  CHECK(memory_refusals == 2);
  CHECK(was_granted(6));
  creator_gives_up();
}

TEST_CASE_FIXTURE(divided_heap, "memory that comes back between grant and use is tried again") {
  event([&](auto& out) {
    // The heap is asked after the free, but the answer that it refused comes behind it.
    table.create(token_number(3), object_number(3), 50, copy_kind::primary, out);
    heap->free(object_number(2));
    table.take_back(40, out);
    out.erase(out.begin());
    table.memory_refused(object_number(3), out);
  });
  CHECK(was_granted(3));
}

// -- requests of others -----------------------------------------------------------

TEST_CASE_FIXTURE(spilled_fixture, "canceling one restore leaves those of others") {
  put(3, 40);
  request(50, 1);
  finish_all_spills();
  REQUIRE(restores.size() == 1);
  request(51, 2);
  request(52, 3);
  cancel(51);
  finish_restore();
  release(1);
  while (!restores.empty())
    finish_restore();
  CHECK(was_served(50));
  CHECK(was_served(52));
  CHECK_FALSE(was_served(51));
}

TEST_CASE_FIXTURE(spilled_fixture, "of two readers of one restore, one may go") {
  request(50, 1);
  request(51, 1);
  cancel(50);
  finish_spill();
  REQUIRE(restores.size() == 1);
  finish_restore();
  CHECK(was_served(51));
  CHECK_FALSE(was_served(50));
}

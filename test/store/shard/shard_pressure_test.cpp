// How a shard makes space: Ray's eviction and spilling tests, against our rules.

#include "shard_shell.hpp"

using namespace mobula;
using namespace mobula::test;

// -- eviction -------------------------------------------------------------------

TEST_CASE("secondaries are evicted in order of last use") {
  shard_shell shell;
  shell.put(1, 40, copy_kind::secondary);
  shell.put(2, 40, copy_kind::secondary);
  shell.request(50, 1);
  shell.create(3, 50);
  CHECK(shell.freed_order() == std::vector<std::uint64_t>{2});
  CHECK(shell.was_granted(3));
}

TEST_CASE("a copy touched since the last look is spared once") {
  shard_shell shell;
  shell.put(1, 40, copy_kind::secondary);
  shell.put(2, 40, copy_kind::secondary);
  shell.touch(1);
  shell.create(3, 50);
  CHECK(shell.freed_order() == std::vector<std::uint64_t>{2});
  shell.create(4, 50);
  CHECK(shell.freed_order() == std::vector<std::uint64_t>{2, 1});
}

TEST_CASE("copies that are all in use but not pinned still make space") {
  shard_shell shell;
  shell.put(1, 50, copy_kind::secondary);
  shell.put(2, 50, copy_kind::secondary);
  shell.touch(1);
  shell.touch(2);
  shell.create(3, 100);
  CHECK(shell.was_granted(3));
}

TEST_CASE(
  "copies that are touched before every answer still make space, after two questions each") {
  shard_shell shell{{.capacity_bytes = 100, .spill_threshold = 1.0, .low_water = 1.0},
                    answers::late};
  shell.put(1, 50, copy_kind::secondary);
  shell.put(2, 50, copy_kind::secondary);
  shell.create(3, 100);
  std::size_t questions = 0;
  for (; !shell.was_granted(3) && questions < 100; ++questions) {
    REQUIRE_FALSE(shell.questions.empty());
    for (std::uint64_t number : {1, 2})
      if (shell.in_memory(number))
        shell.touch(number);
    shell.answer(0);
  }
  CHECK(questions == 4);
}

TEST_CASE("pinned secondaries are skipped") {
  shard_shell shell;
  shell.put(1, 50, copy_kind::secondary);
  shell.put(2, 50, copy_kind::secondary);
  REQUIRE(shell.pin(1));
  shell.create(3, 50);
  CHECK(shell.freed_order() == std::vector<std::uint64_t>{2});
  CHECK(shell.was_granted(3));
}

TEST_CASE("a primary is never dropped without a record") {
  shard_shell shell;
  shell.put(1, 100);
  shell.create(2, 100);
  CHECK(shell.in_memory(1));
  shell.finish_spill();
  CHECK_FALSE(shell.in_memory(1));
  CHECK(shell.table.contains(object_number(1)));
}

TEST_CASE("secondaries are evicted before primaries are spilled") {
  shard_shell shell;
  shell.put(1, 40);
  shell.put(2, 40, copy_kind::secondary);
  shell.create(3, 60);
  CHECK(shell.was_granted(3));
  CHECK(shell.spills.empty());
}

// -- spilling -------------------------------------------------------------------

TEST_CASE("crossing the threshold spills down to the low-water mark, oldest first") {
  shard_shell shell{{.capacity_bytes = 100, .spill_threshold = 0.8, .low_water = 0.5}};
  for (std::uint64_t number = 1; number <= 8; ++number)
    shell.put(number, 10);
  CHECK(shell.spills.empty());
  shell.put(9, 10);
  CHECK(shell.spill_order() == std::vector<std::uint64_t>{1, 2, 3, 4});
  shell.finish_all_spills();
  CHECK(shell.table.used_bytes() == 50);
}

TEST_CASE("with a threshold of one nothing is spilled before a create waits") {
  shard_shell shell;
  shell.put(1, 50);
  shell.put(2, 50);
  CHECK(shell.spills.empty());
  shell.create(3, 10);
  CHECK(shell.spill_order() == std::vector<std::uint64_t>{1});
}

TEST_CASE("an object in use is not spilled until it is let go") {
  shard_shell shell;
  shell.put(1, 100);
  REQUIRE(shell.pin(1));
  shell.create(2, 10);
  CHECK(shell.spills.empty());
  shell.unpin(1);
  CHECK(shell.spill_order() == std::vector<std::uint64_t>{1});
}

TEST_CASE("an object can be read while it is written, and then stays") {
  shard_shell shell;
  shell.put(1, 100);
  shell.create(2, 10);
  REQUIRE(shell.pin(1));
  shell.finish_spill();
  CHECK(shell.in_memory(1));
  CHECK_FALSE(shell.was_granted(2));
  shell.unpin(1);
  CHECK_FALSE(shell.in_memory(1));
  CHECK(shell.was_granted(2));
}

TEST_CASE("an object is spilled once") {
  shard_shell shell;
  shell.put(1, 100);
  shell.create(2, 10);
  shell.create(3, 10);
  CHECK(shell.spills.size() == 1);
}

TEST_CASE("bytes that are being written still count") {
  shard_shell shell;
  shell.put(1, 100);
  shell.create(2, 10);
  CHECK(shell.table.stats().spilling == object_tally{1, 100});
  CHECK(shell.table.used_bytes() == 100);
}

TEST_CASE("a failed spill is tried again when the disk may be better") {
  shard_shell shell;
  shell.put(1, 100);
  shell.create(2, 10);
  shell.fail_spill(spill_error::io_error);
  CHECK(shell.spills.empty());
  shell.spilling_possible();
  CHECK(shell.spills.size() == 1);
}

TEST_CASE("an object released while it is written is freed when the write ends") {
  shard_shell shell;
  shell.put(1, 100);
  shell.create(2, 10);
  shell.release(1);
  CHECK(shell.forgotten.contains(object_number(1)));
  CHECK(shell.in_memory(1));
  shell.finish_spill();
  CHECK_FALSE(shell.in_memory(1));
  CHECK_FALSE(shell.table.contains(object_number(1)));
}

TEST_CASE("an object released while it is written is freed when the write is canceled") {
  shard_shell shell;
  shell.put(1, 100);
  shell.create(2, 10);
  shell.release(1);
  shell.fail_spill(spill_error::canceled);
  CHECK(shell.was_granted(2));
}

TEST_CASE_FIXTURE(spilled_fixture, "a spilled object that is released leaves its record") {
  release(1);
  CHECK(forgotten.contains(object_number(1)));
  CHECK_FALSE(table.contains(object_number(1)));
}

TEST_CASE_FIXTURE(spilled_fixture, "a spilled object that is asked for makes space for itself") {
  request(50, 1);
  CHECK(spill_order() == std::vector<std::uint64_t>{2});
  finish_spill();
  REQUIRE(restores.size() == 1);
  finish_restore();
  CHECK(was_served(50));
}

TEST_CASE_FIXTURE(spilled_fixture, "restores of one object are joined") {
  release(2);
  request(50, 1);
  request(51, 1);
  CHECK(restores.size() == 1);
  finish_restore();
  CHECK(was_served(50));
  CHECK(was_served(51));
}

TEST_CASE_FIXTURE(spilled_fixture, "a restored copy is dropped again without a write") {
  release(2);
  request(50, 1);
  finish_restore();
  create(3, 60);
  CHECK(spills.empty());
  CHECK(was_granted(3));
  CHECK(table.stats().unloads.objects == 2);
  CHECK(table.stats().spills.objects == 1);
}

TEST_CASE_FIXTURE(spilled_fixture,
                  "a restore that waits for space is given up with its last reader") {
  request(50, 1);
  cancel(50);
  finish_spill();
  CHECK(restores.empty());
}

TEST_CASE_FIXTURE(spilled_fixture, "a restore that runs goes on without readers") {
  release(2);
  request(50, 1);
  cancel(50);
  finish_restore();
  CHECK(pin(1));
}

TEST_CASE_FIXTURE(spilled_fixture, "a lost record is a lost copy, and nothing else") {
  release(2);
  request(50, 1);
  fail_restore(restore_error::record_lost);
  CHECK(refused(50) == refusal::copy_lost);
  CHECK_FALSE(table.contains(object_number(1)));
  CHECK(table.used_bytes() == 0);
}

TEST_CASE_FIXTURE(spilled_fixture, "a restore that fails on the disk can be tried again") {
  release(2);
  request(50, 1);
  fail_restore(restore_error::io_error);
  CHECK(refused(50) == refusal::restore_failed);
  request(51, 1);
  finish_restore();
  CHECK(was_served(51));
}

TEST_CASE_FIXTURE(spilled_fixture,
                  "an object released while it is read is freed when the read ends") {
  release(2);
  request(50, 1);
  release(1);
  CHECK(refused(50) == refusal::released);
  CHECK(in_memory(1));
  finish_restore();
  CHECK_FALSE(in_memory(1));
}

TEST_CASE_FIXTURE(spilled_fixture, "an object released while its restore waits is gone") {
  request(50, 1);
  release(1);
  CHECK(refused(50) == refusal::released);
  CHECK_FALSE(table.contains(object_number(1)));
}

TEST_CASE("a reader that asks while the copy is being taken gets it back from the disk") {
  shard_shell shell{{.capacity_bytes = 100, .spill_threshold = 1.0, .low_water = 1.0},
                    answers::late};
  shell.put(1, 60);
  shell.create(2, 50);
  shell.answer(0);
  shell.finish_spill();
  shell.request(50, 1);
  shell.answer(0);
  shell.abort(2);
  shell.finish_restore();
  CHECK(shell.was_served(50));
}

namespace {

/// A store of 100 bytes in which objects 1 to 5 of 20 bytes lie side by side.
struct full_heap : shard_shell {
  full_heap() {
    heap.emplace(100);
    for (std::uint64_t number = 1; number <= 5; ++number)
      put(number, 20, copy_kind::secondary);
  }
};

} // namespace

TEST_CASE_FIXTURE(full_heap, "memory in pieces makes a create wait until neighbours are gone") {
  pin(2);
  pin(4);
  release(1);
  release(3);
  create(6, 40);
  // 40 bytes are free, but nowhere 40 side by side; the last secondary goes as well, in vain.
  CHECK_FALSE(was_granted(6));
  CHECK(memory_refusals > 0);
  unpin(2);
  CHECK(was_granted(6));
  unpin(4);
}

TEST_CASE_FIXTURE(full_heap, "memory in pieces is joined by evicting in order of last use") {
  create(6, 40);
  CHECK(was_granted(6));
  CHECK(freed_order() == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE_FIXTURE(full_heap,
                  "memory in pieces that readers hold is a stall, and no longer than that") {
  for (std::uint64_t number = 1; number <= 5; ++number)
    pin(number);
  unpin(1);
  unpin(3);
  unpin(5);
  create(6, 40);
  REQUIRE(stall);
  CHECK(stall->cause == stall_cause::readers);
  give_up();
  CHECK(refused(6) == refusal::store_full);
  // The next one is tried anew, and small ones still fit.
  create(7, 20);
  CHECK(was_granted(7));
  unpin(2);
  unpin(4);
}

TEST_CASE("a restore that finds memory only in pieces waits, and is served when there is more") {
  shard_shell shell{{.capacity_bytes = 100, .spill_threshold = 1.0, .low_water = 1.0}};
  shell.heap.emplace(100);
  shell.put(1, 60);
  shell.create(2, 60);
  shell.finish_spill();
  shell.seal(2);
  shell.release(2);
  for (std::uint64_t number = 3; number <= 7; ++number)
    shell.put(number, 20, copy_kind::secondary);
  shell.pin(4);
  shell.pin(6);
  shell.release(3);
  shell.release(5);
  shell.release(7);
  shell.request(100, 1);
  CHECK(shell.restores.empty());
  shell.unpin(4);
  CHECK(shell.restores.size() == 1);
  shell.finish_restore();
  CHECK(shell.was_served(100));
  shell.unpin(6);
}

// News that come late or out of order, and what outlives its cause: failures and recoveries of the
// disk, credit that is used or asked back, and sizes that the heap refused.

#include "shard_shell.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr store_config exact{.capacity_bytes = 100, .spill_threshold = 1.0, .low_water = 1.0};

} // namespace

// -- the disk -------------------------------------------------------------------

TEST_CASE("a late failure of an earlier round does not take back a later one") {
  shard_shell shell{exact};
  shell.put(1, 50);
  shell.put(2, 50);
  shell.create(3, 100);
  REQUIRE(shell.spills.size() == 2);
  shell.fail_spill_late(spill_error::io_error);
  shell.spilling_possible();
  shell.fail_spill(spill_error::io_error);
  shell.tell_late_failure();
  CHECK(shell.spills.empty());
}

TEST_CASE("news of an earlier recovery do not take back a later one") {
  shard_shell shell{exact};
  shell.put(1, 100);
  shell.create(2, 50);
  for (std::uint64_t round : {2, 1})
    shell.event([&](auto& out) { shell.table.spilling_possible(spill_round{round}, out); });
  shell.round = spill_round{1};
  shell.fail_spill(spill_error::io_error);
  CHECK(shell.spills.size() == 1);
}

// -- the limit on disk ----------------------------------------------------------

TEST_CASE("what is as large as what the disk refused in this round, or larger, is not asked") {
  for (std::size_t size : {40, 60}) {
    CAPTURE(size);
    shard_shell shell{exact};
    shell.put(1, 40);
    shell.put(2, size);
    shell.create(3, 85 - size);
    REQUIRE(shell.spill_order() == std::vector<std::uint64_t>{1});
    shell.fail_spill(spill_error::beyond_limit);
    CHECK(shell.spills.empty());
  }
}

TEST_CASE("of two sizes that the disk refused the lesser one counts") {
  shard_shell shell{exact};
  shell.put(1, 50);
  shell.put(2, 20);
  shell.put(3, 30);
  shell.pin(3);
  shell.create(4, 60);
  REQUIRE(shell.spill_order() == std::vector<std::uint64_t>{1, 2});
  shell.fail_spill(spill_error::beyond_limit);
  shell.fail_spill(spill_error::beyond_limit);
  shell.unpin(3);
  CHECK(shell.spills.empty());
}

TEST_CASE("a refusal that is told when there is space again keeps nothing from the disk") {
  shard_shell shell{exact};
  shell.put(1, 40);
  shell.put(2, 60);
  shell.create(3, 25);
  shell.fail_spill_late(spill_error::beyond_limit);
  shell.spilling_possible();
  shell.tell_late_failure();
  CHECK(shell.spill_order() == std::vector<std::uint64_t>{2});
}

TEST_CASE("what was too large keeps its turn, though nobody waited when it was refused") {
  shard_shell shell{exact};
  shell.put(1, 40);
  shell.put(2, 60);
  shell.create(3, 25);
  shell.cancel(3);
  shell.fail_spill(spill_error::beyond_limit);
  shell.spilling_possible();
  shell.create(4, 25);
  CHECK(shell.spill_order() == std::vector<std::uint64_t>{1});
}

TEST_CASE("what is larger than what the disk refused is passed over for what is smaller") {
  shard_shell shell{exact};
  shell.put(1, 40);
  shell.put(2, 45);
  shell.put(3, 15);
  shell.create(4, 25);
  shell.fail_spill(spill_error::beyond_limit);
  CHECK(shell.spill_order() == std::vector<std::uint64_t>{3});
}

// -- stalls ---------------------------------------------------------------------

TEST_CASE("an object that its creator made with credit ends a stall") {
  shard_shell shell{exact};
  shell.lend(60);
  shell.take_credit(60);
  shell.create(1, 50);
  REQUIRE(shell.stall);
  shell.add_sealed(2, 60);
  CHECK_FALSE(shell.stall);
}

TEST_CASE("a copy that is back from the disk ends a stall: it may go again") {
  shard_shell shell{exact, answers::late};
  shell.put(1, 10);
  shell.put(2, 90);
  shell.pin(2);
  shell.create(3, 10);
  shell.answer(0);
  shell.finish_spill();
  shell.answer(0);
  REQUIRE(shell.was_granted(3));
  shell.abort(3);
  shell.create(4, 50);
  while (!shell.questions.empty())
    shell.answer(0);
  REQUIRE(shell.stall);
  shell.request(50, 1);
  REQUIRE(shell.restores.size() == 1);
  REQUIRE(shell.stall);
  shell.finish_restore();
  CHECK_FALSE(shell.stall);
}

TEST_CASE("the last one that was granted before a stall ends it when it seals") {
  shard_shell shell{exact};
  shell.put(1, 70);
  shell.pin(1);
  shell.create(2, 90);
  shell.create(3, 10);
  shell.create(4, 10);
  shell.abort(3);
  REQUIRE(shell.stall);
  auto second = shell.stall->number;
  shell.seal(4);
  shell.fail_spill(spill_error::io_error);
  REQUIRE(shell.stall);
  CHECK(shell.stall->number != second);
}

TEST_CASE("no reader is looked for while creators are waited for") {
  shard_shell shell{exact};
  shell.create(1, 70);
  shell.create(2, 90);
  REQUIRE(shell.stall->cause == stall_cause::creators);
  CHECK(shell.reader_checks == 0);
}

TEST_CASE(
  "a stall's time is up for want of space, though something is idle that nobody asked yet") {
  shard_shell shell{exact, answers::late};
  shell.put(1, 50);
  shell.put(2, 50);
  shell.pin(1);
  shell.pin(2);
  shell.create(3, 40);
  while (!shell.questions.empty())
    shell.answer(0);
  REQUIRE(shell.stall);
  shell.unpin(1);
  REQUIRE(shell.questions.size() == 1);
  shell.unpin(2);
  REQUIRE(shell.questions.size() == 1);
  shell.give_up();
  CHECK(shell.refused(3) == refusal::store_full);
}

TEST_CASE("a store that writes is not said to be stalled, though the stall goes on") {
  shard_shell shell{exact};
  shell.put(1, 100);
  shell.create(2, 50);
  shell.fail_spill(spill_error::io_error);
  CHECK(shell.table.pressure() == pressure_level::stalled);
  shell.spilling_possible();
  REQUIRE(shell.stall);
  CHECK(shell.table.pressure() == pressure_level::waiting);
}

// -- credit ---------------------------------------------------------------------

TEST_CASE("credit that is asked back while objects move out counts as space on its way") {
  shard_shell shell{{.capacity_bytes = 1'000, .spill_threshold = 0.8, .low_water = 0.7},
                    answers::late};
  shell.lend(300);
  shell.put(1, 450, copy_kind::secondary);
  shell.create(2, 100);
  REQUIRE(shell.open_recalls == 1);
  CHECK(shell.questions.empty());
}

TEST_CASE("credit that is out counts for what may be lent while objects move out") {
  shard_shell shell{{.capacity_bytes = 1'000, .spill_threshold = 0.5, .low_water = 0.4}};
  shell.create(1, 360);
  shell.create(2, 160);
  for (int times = 0; times < 2; ++times) {
    shell.lend(1'000);
    CHECK(shell.idle_credit == 60);
  }
}

// -- memory in pieces -----------------------------------------------------------

TEST_CASE("a size that the heap refused is tried again when nobody waits any more") {
  shard_shell shell{exact};
  shell.heap.emplace(100);
  shell.put(1, 30);
  shell.lend(40);
  shell.take_credit(40);
  REQUIRE(shell.heap->take(object_number(2), 40));
  shell.release(1);
  shell.create(3, 50);
  REQUIRE(shell.memory_refusals == 1);
  shell.cancel(3);
  shell.create(4, 50);
  CHECK(shell.memory_refusals == 2);
}

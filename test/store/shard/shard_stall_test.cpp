// What ends a stall, and what does not: those who wait are refused in the end, however often
// somebody asks, tries or overtakes in vain.

#include <algorithm>

#include "mobula/store/shard/store_space.hpp"
#include "shard_shell.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr store_config exact{.capacity_bytes = 100, .spill_threshold = 1.0, .low_water = 1.0};

} // namespace

// -- readers --------------------------------------------------------------------

TEST_CASE("a reader that lets go and comes back does not prolong a stall") {
  shard_shell shell{exact, answers::late};
  shell.put(1, 10);
  shell.put(2, 90);
  shell.pin(1);
  shell.pin(2);
  shell.create(3, 50);
  while (!shell.questions.empty())
    shell.answer(0);
  REQUIRE(shell.stall);
  auto first = shell.stall->number;
  for (int round = 0; round < 5; ++round) {
    shell.unpin(1);
    REQUIRE(shell.questions.size() == 1);
    shell.pin(1);
    shell.answer(0);
  }
  REQUIRE(shell.stall);
  CHECK(shell.stall->number == first);
  CHECK(shell.reader_checks == 1);
  shell.give_up();
  CHECK(shell.refused(3) == refusal::store_full);
}

TEST_CASE("a stall ends while a reader is asked, if only that is open") {
  shard_shell shell{exact, answers::late};
  shell.put(1, 100);
  shell.pin(1);
  shell.create(2, 50);
  shell.answer(0);
  REQUIRE(shell.stall);
  shell.unpin(1);
  REQUIRE(shell.questions.size() == 1);
  shell.give_up();
  CHECK(shell.refused(2) == refusal::store_full);
}

TEST_CASE("bytes that come back end a stall, also if they are too few") {
  shard_shell shell{exact};
  shell.put(1, 40, copy_kind::secondary);
  shell.put(2, 60);
  shell.pin(1);
  shell.pin(2);
  shell.create(3, 80);
  auto first = shell.stall->number;
  shell.unpin(1);
  REQUIRE_FALSE(shell.in_memory(1));
  REQUIRE(shell.stall);
  CHECK(shell.stall->number != first);
}

// -- creators -------------------------------------------------------------------

TEST_CASE("those who overtake do not prolong a stall when they seal") {
  shard_shell shell{exact};
  shell.put(1, 70);
  shell.pin(1);
  shell.create(2, 90);
  auto first = shell.stall->number;
  shell.put(3, 10);
  shell.put(4, 10);
  while (!shell.spills.empty())
    shell.fail_spill(spill_error::io_error);
  REQUIRE(shell.stall);
  CHECK(shell.stall->number == first);
}

TEST_CASE("a creator of before ends a stall when it seals") {
  shard_shell shell{exact};
  shell.create(1, 70);
  shell.create(2, 90);
  auto first = shell.stall->number;
  shell.seal(1);
  shell.fail_spill(spill_error::io_error);
  REQUIRE(shell.stall);
  CHECK(shell.stall->number != first);
}

TEST_CASE("those who wait for a creator are refused when it takes too long") {
  shard_shell shell{exact};
  shell.create(1, 70);
  shell.create(2, 90);
  REQUIRE(shell.stall->cause == stall_cause::creators);
  shell.give_up();
  CHECK(shell.refused(2) == refusal::store_full);
  CHECK(shell.refusals.at(token_number(2)).use.making_bytes == 70);
}

// -- the disk -------------------------------------------------------------------

TEST_CASE("a disk that fails again and again does not prolong a stall") {
  shard_shell shell{exact};
  shell.put(1, 100);
  shell.create(2, 50);
  shell.fail_spill(spill_error::io_error);
  auto first = shell.stall->number;
  for (int retry = 0; retry < 5; ++retry) {
    shell.spilling_possible();
    shell.fail_spill(spill_error::io_error);
  }
  REQUIRE(shell.stall);
  CHECK(shell.stall->number == first);
  shell.give_up();
  CHECK(shell.refused(2) == refusal::out_of_disk);
}

TEST_CASE("a write under way when hope is over is let end first") {
  for (auto succeeds : {false, true}) {
    CAPTURE(succeeds);
    shard_shell shell{exact};
    shell.put(1, 100);
    shell.create(2, 50);
    shell.fail_spill(spill_error::io_error);
    shell.spilling_possible();
    REQUIRE(shell.stall);
    shell.give_up();
    CHECK_FALSE(shell.refused(2));
    if (succeeds)
      shell.finish_spill();
    else
      shell.fail_spill(spill_error::io_error);
    CHECK(shell.was_granted(2) == succeeds);
    CHECK(shell.refused(2).has_value() != succeeds);
  }
}

TEST_CASE("a failure that is told after the disk has recovered does not stop spilling") {
  shard_shell shell{exact};
  shell.put(1, 100);
  shell.create(2, 50);
  shell.fail_spill_late(spill_error::io_error);
  shell.spilling_possible();
  shell.tell_late_failure();
  REQUIRE(shell.spills.size() == 1);
  shell.finish_spill();
  CHECK(shell.was_granted(2));
}

TEST_CASE("news of a recovery that come after another failure do not start a write") {
  shard_shell shell{exact};
  shell.put(1, 100);
  shell.create(2, 50);
  shell.round = spill_round{1};
  shell.fail_spill(spill_error::io_error);
  shell.round = spill_round{0};
  shell.spilling_possible();
  CHECK(shell.spills.empty());
  shell.spilling_possible();
  CHECK(shell.spills.size() == 1);
}

// -- the limit on disk ----------------------------------------------------------

namespace {

/// A store of 100 bytes: object 1 of 40 is too large for the disk, 2 and 3 of 30 are not.
struct limited_disk : shard_shell {
  limited_disk() : shard_shell(exact) {
    put(1, 40);
    put(2, 30);
    put(3, 30);
  }
};

} // namespace

TEST_CASE_FIXTURE(limited_disk, "an object that is too large for the disk does not stop others") {
  create(4, 25);
  REQUIRE(spill_order() == std::vector<std::uint64_t>{1});
  fail_spill(spill_error::beyond_limit);
  REQUIRE(spill_order() == std::vector<std::uint64_t>{2});
  finish_spill();
  CHECK(was_granted(4));
  CHECK(in_memory(1));
}

TEST_CASE_FIXTURE(limited_disk, "what is as large as something that was refused is not asked") {
  create(4, 100);
  REQUIRE(spill_order() == std::vector<std::uint64_t>{1, 2, 3});
  for (int failures = 0; failures < 3; ++failures)
    fail_spill(spill_error::beyond_limit);
  CHECK(spills.empty());
  REQUIRE(stall);
  CHECK(stall->cause == stall_cause::disk);
  give_up();
  CHECK(refused(4) == refusal::out_of_disk);
}

TEST_CASE_FIXTURE(limited_disk,
                  "what was too large is asked again, in order, when there is space") {
  pin(3);
  create(4, 70);
  fail_spill(spill_error::beyond_limit);
  fail_spill(spill_error::beyond_limit);
  REQUIRE(spills.empty());
  spilling_possible();
  CHECK(spill_order() == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE_FIXTURE(limited_disk, "a reader does not bring back what is too large for the disk") {
  create(4, 35);
  fail_spill(spill_error::beyond_limit);
  finish_all_spills();
  REQUIRE(was_granted(4));
  request(50, 1);
  CHECK(was_served(50));
  CHECK(spills.empty());
  table.check_invariants();
}

// -- memory in pieces -----------------------------------------------------------

TEST_CASE("what overtook and found no memory has taken nothing from those who wait") {
  shard_shell shell{exact};
  shell.heap.emplace(100);
  for (std::uint64_t number = 1; number <= 5; ++number)
    shell.put(number, 20, copy_kind::secondary);
  shell.pin(2);
  shell.pin(4);
  for (std::uint64_t number : {1, 3, 5})
    shell.release(number);
  shell.create(6, 70);
  shell.create(7, 60);
  REQUIRE(shell.memory_refusals == 1);
  shell.create(8, 20);
  CHECK(shell.was_granted(8));
  shell.unpin(2);
  shell.unpin(4);
}

// -- credit ---------------------------------------------------------------------

TEST_CASE("a request that fits when credit is back moves nothing out") {
  store_space space{{.capacity_bytes = 1'000, .spill_threshold = 0.8, .low_water = 0.7}, 1'000};
  shard_effects effects;
  std::vector<std::uint32_t> woken;
  auto create = [&](std::uint64_t number, std::size_t size) {
    REQUIRE(space.try_event(0, effects, woken, [&](store_table& table, store_effects& out) {
      table.create(token_number(number), object_number(number), size, copy_kind::secondary, out);
    }));
  };
  for (std::uint64_t number = 1; number <= 5; ++number) {
    create(number, 90);
    REQUIRE(space.try_event(0, effects, woken, [&](store_table& table, store_effects& out) {
      table.seal(object_number(number), out);
    }));
  }
  effects.clear();
  create(6, 300);
  auto has = [&]<class Effect>(const Effect*) {
    return std::ranges::any_of(
      effects, [](const shard_effect& effect) { return std::holds_alternative<Effect>(effect); });
  };
  CHECK(has(static_cast<const grant_create*>(nullptr)));
  CHECK_FALSE(has(static_cast<const try_reclaim*>(nullptr)));
  CHECK_FALSE(has(static_cast<const report_pressure*>(nullptr)));
}

// Which create gets space, and when: Ray's create request queue, against our rules.

#include "shard_shell.hpp"

using namespace mobula;
using namespace mobula::test;

TEST_CASE("a create that fits is granted at once") {
  shard_shell shell;
  shell.create(1, 100);
  CHECK(shell.was_granted(1));
  CHECK(shell.table.used_bytes() == 100);
}

TEST_CASE("creates are granted in order of arrival") {
  shard_shell shell;
  shell.create(1, 100);
  shell.create(2, 40);
  shell.create(3, 40);
  shell.create(4, 40);
  shell.abort(1);
  CHECK(shell.was_granted(2));
  CHECK(shell.was_granted(3));
  CHECK_FALSE(shell.was_granted(4));
}

TEST_CASE("an object larger than the store is refused at once, saying both sizes") {
  shard_shell shell;
  shell.create(1, 101);
  auto answer = shell.refusals.at(token_number(1));
  CHECK(answer.error == refusal::larger_than_store);
  CHECK(answer.size_bytes == 101);
  CHECK(answer.use.capacity_bytes == 100);
}

TEST_CASE("a second create of the same object is refused") {
  shard_shell shell;
  shell.create(1, 10);
  shell.event([&](auto& out) {
    shell.table.create(token_number(2), object_number(1), 10, copy_kind::primary, out);
  });
  CHECK(shell.refused(2) == refusal::already_exists);
}

TEST_CASE("a create waits while only readers hold memory, and fails when the caller gives up") {
  shard_shell shell;
  shell.put(1, 100);
  REQUIRE(shell.pin(1));
  shell.create(2, 50);
  REQUIRE(shell.stall);
  CHECK(shell.stall->cause == stall_cause::readers);
  CHECK_FALSE(shell.refused(2));
  shell.give_up();
  CHECK(shell.refused(2) == refusal::store_full);
}

TEST_CASE("after a failed create the next one is served") {
  shard_shell shell;
  shell.put(1, 60);
  REQUIRE(shell.pin(1));
  shell.create(2, 80);
  shell.give_up();
  shell.create(3, 40);
  CHECK(shell.was_granted(3));
}

TEST_CASE("a create that waits for readers is woken by the last one") {
  shard_shell shell;
  shell.put(1, 100, copy_kind::secondary);
  REQUIRE(shell.pin(1));
  shell.create(2, 50);
  CHECK_FALSE(shell.was_granted(2));
  shell.unpin(1);
  CHECK(shell.was_granted(2));
}

TEST_CASE("giving up on a stall that has passed changes nothing") {
  shard_shell shell;
  shell.put(1, 100, copy_kind::secondary);
  REQUIRE(shell.pin(1));
  shell.create(2, 50);
  auto passed = shell.stall->number;
  shell.unpin(1);
  shell.event([&](auto& out) { shell.table.give_up(passed, out); });
  CHECK(shell.was_granted(2));
  CHECK_FALSE(shell.refused(2));
}

TEST_CASE("giving up spares requests that came after the stall began") {
  shard_shell shell;
  shell.put(1, 100);
  REQUIRE(shell.pin(1));
  shell.create(2, 50);
  shell.create(3, 50);
  shell.give_up();
  CHECK(shell.refused(2) == refusal::store_full);
  CHECK_FALSE(shell.refused(3));
  REQUIRE(shell.stall);
  shell.give_up();
  CHECK(shell.refused(3) == refusal::store_full);
}

TEST_CASE("a create waits while a spill is under way and there is no stall") {
  shard_shell shell;
  shell.put(1, 100);
  shell.create(2, 50);
  CHECK(shell.spill_order() == std::vector<std::uint64_t>{1});
  CHECK_FALSE(shell.stall);
  shell.finish_spill();
  CHECK(shell.was_granted(2));
}

TEST_CASE("creates fail for lack of disk when spilling fails") {
  shard_shell shell;
  shell.put(1, 100);
  shell.create(2, 50);
  shell.fail_spill(spill_error::out_of_disk);
  REQUIRE(shell.stall);
  CHECK(shell.stall->cause == stall_cause::disk);
  shell.give_up();
  CHECK(shell.refused(2) == refusal::out_of_disk);
  CHECK(shell.in_memory(1));
}

TEST_CASE("a transient lack of disk that passes before the caller gives up is no failure") {
  shard_shell shell;
  shell.put(1, 100);
  shell.create(2, 50);
  shell.fail_spill(spill_error::io_error);
  shell.spilling_possible();
  shell.finish_spill();
  CHECK(shell.was_granted(2));
}

TEST_CASE("a transient lack of disk that comes back fails creates in the end") {
  shard_shell shell;
  shell.put(1, 100);
  shell.create(2, 50);
  shell.fail_spill(spill_error::io_error);
  shell.spilling_possible();
  shell.fail_spill(spill_error::io_error);
  shell.give_up();
  CHECK(shell.refused(2) == refusal::out_of_disk);
}

TEST_CASE("nothing is evicted for a create that is refused") {
  shard_shell shell;
  shell.put(1, 100, copy_kind::secondary);
  shell.create(2, 101);
  CHECK(shell.in_memory(1));
}

TEST_CASE("a waiting create whose client went away holds up nobody") {
  shard_shell shell;
  shell.create(1, 60);
  shell.create(2, 100);
  shell.create(3, 50);
  shell.cancel(2);
  CHECK_FALSE(shell.table.contains(object_number(2)));
  shell.abort(1);
  CHECK(shell.was_granted(3));
}

TEST_CASE("canceling a request that has ended changes nothing") {
  shard_shell shell;
  shell.create(1, 60);
  shell.cancel(1);
  shell.cancel(99);
  CHECK(shell.table.used_bytes() == 60);
}

TEST_CASE("more creates than the limit are refused") {
  shard_shell shell{{.capacity_bytes = 100, .max_waiting = 2}};
  shell.create(1, 100);
  shell.create(2, 10);
  shell.create(3, 10);
  shell.create(4, 10);
  CHECK(shell.refused(4) == refusal::too_many_waiting);
  CHECK_FALSE(shell.refused(3));
}

TEST_CASE("readers wait for copies however many they are, and keep no create from waiting") {
  shard_shell shell{{.capacity_bytes = 100, .max_waiting = 2}};
  shell.create(1, 100);
  for (std::uint64_t reader = 11; reader <= 20; ++reader)
    shell.request(reader, 1);
  shell.create(2, 10);
  CHECK_FALSE(shell.refused(2));
  shell.seal(1);
  for (std::uint64_t reader = 11; reader <= 20; ++reader)
    CHECK(shell.was_served(reader));
}

TEST_CASE("a waiting huge create is overtaken by small ones") {
  shard_shell shell;
  shell.create(1, 60);
  shell.create(2, 90);
  shell.create(3, 40);
  CHECK(shell.was_granted(3));
  CHECK_FALSE(shell.was_granted(2));
}

TEST_CASE("a waiting huge create is overtaken by no more bytes than it wants itself") {
  shard_shell shell;
  shell.create(1, 60);
  shell.create(2, 50);
  std::uint64_t next = 3;
  std::size_t overtaken = 0;
  for (; next < 100; ++next) {
    shell.create(next, 20);
    if (!shell.was_granted(next))
      break;
    overtaken += 20;
    shell.abort(next);
  }
  CHECK(overtaken == 40);
  shell.abort(1);
  CHECK(shell.was_granted(2));
  CHECK(shell.was_granted(next));
}

TEST_CASE("only requests within the window overtake") {
  shard_shell shell{
    {.capacity_bytes = 100, .spill_threshold = 1.0, .low_water = 1.0, .overtaking_window = 1}};
  shell.create(1, 60);
  shell.create(2, 90);
  shell.create(3, 90);
  shell.create(4, 10);
  CHECK_FALSE(shell.was_granted(4));
}

TEST_CASE("a create waits for creators, which is a stall of its own kind") {
  shard_shell shell;
  shell.create(1, 100);
  shell.create(2, 10);
  REQUIRE(shell.stall);
  CHECK(shell.stall->cause == stall_cause::creators);
  shell.abort(1);
  CHECK(shell.was_granted(2));
}

TEST_CASE("lent credit counts as used") {
  shard_shell shell;
  shell.lend(30);
  CHECK(shell.idle_credit == 30);
  CHECK(shell.table.used_bytes() == 30);
  CHECK(shell.table.stats().lent_bytes == 30);
  shell.take_back(10);
  CHECK(shell.table.used_bytes() == 20);
}

TEST_CASE("an object sealed in lent space turns credit into a sealed object") {
  shard_shell shell;
  shell.lend(30);
  shell.take_credit(20);
  shell.add_sealed(1, 20);
  auto stats = shell.table.stats();
  CHECK(stats.lent_bytes == 10);
  CHECK(stats.primary == object_tally{1, 20});
  CHECK(stats.used_bytes == 30);
  CHECK(shell.pin(1));
}

TEST_CASE("idle credit is asked back before anything is spilled") {
  shard_shell shell;
  shell.put(1, 50);
  shell.lend(50);
  shell.create(2, 40);
  CHECK(shell.recalls == 1);
  CHECK(shell.spills.empty());
  CHECK(shell.was_granted(2));
}

TEST_CASE("credit that a creator has taken is not asked for twice") {
  shard_shell shell;
  shell.lend(60);
  shell.take_credit(60);
  shell.create(2, 50);
  shell.create(3, 50);
  CHECK(shell.recalls == 1);
  REQUIRE(shell.stall);
  CHECK(shell.stall->cause == stall_cause::creators);
  shell.take_back(60);
  CHECK(shell.was_granted(2));
  CHECK(shell.was_granted(3));
}

TEST_CASE("nothing is lent while a request waits") {
  shard_shell shell{{.capacity_bytes = 100, .spill_threshold = 0.8, .low_water = 0.7}};
  shell.create(1, 75);
  shell.lend(100);
  CHECK(shell.idle_credit == 5);
  shell.create(2, 90);
  shell.lend(100);
  CHECK(shell.idle_credit == 0);
}

TEST_CASE("above the threshold an eighth of what is free may be lent, and no more is left out") {
  shard_shell shell{{.capacity_bytes = 1'000, .spill_threshold = 0.5, .low_water = 0.4}};
  shell.lend(1'000);
  CHECK(shell.idle_credit == 500);
  shell.create(1, 360);
  shell.create(2, 160);
  CHECK(shell.recalls == 1);
  CHECK(shell.idle_credit == 0);
  shell.lend(1'000);
  CHECK(shell.idle_credit == 60);
  shell.create(3, 80);
  CHECK(shell.recalls == 2);
  shell.lend(1'000);
  CHECK(shell.idle_credit == 50);
}

TEST_CASE("pressure is told when it changes, not at each object") {
  shard_shell shell{{.capacity_bytes = 100, .spill_threshold = 0.8, .low_water = 0.5}};
  shell.put(1, 40);
  shell.put(2, 40);
  shell.put(3, 20);
  CHECK(shell.levels == std::vector{pressure_level::relieving});
  shell.finish_all_spills();
  CHECK(shell.levels == std::vector{pressure_level::relieving, pressure_level::calm});
}

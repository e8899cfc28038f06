// The life of an object in a shard: Ray's life cycle tests, against our rules.

#include "shard_shell.hpp"

using namespace mobula;
using namespace mobula::test;

TEST_CASE("a sealed object can be read, an unsealed one cannot") {
  shard_shell shell;
  shell.create(1, 10);
  CHECK_FALSE(shell.pin(1));
  shell.seal(1);
  CHECK(shell.pin(1));
}

TEST_CASE("an aborted object gives its space back and is forgotten") {
  shard_shell shell;
  shell.create(1, 10);
  shell.abort(1);
  CHECK(shell.table.used_bytes() == 0);
  CHECK_FALSE(shell.table.contains(object_number(1)));
  CHECK(shell.freed.front().reason == free_reason::aborted);
}

TEST_CASE("a released object is freed at once when nobody reads it") {
  shard_shell shell;
  shell.put(1, 10);
  shell.release(1);
  CHECK_FALSE(shell.in_memory(1));
  CHECK(shell.table.used_bytes() == 0);
}

TEST_CASE("releasing an unknown object changes nothing") {
  shard_shell shell;
  shell.release(1);
  CHECK(shell.freed.empty());
}

TEST_CASE("a released object lives until its last reader lets go, and takes no new reader") {
  shard_shell shell;
  shell.put(1, 10);
  REQUIRE(shell.pin(1));
  REQUIRE(shell.pin(1));
  shell.release(1);
  CHECK_FALSE(shell.pin(1));
  CHECK(shell.table.stats().doomed == object_tally{1, 10});
  shell.unpin(1);
  CHECK(shell.in_memory(1));
  shell.unpin(1);
  CHECK_FALSE(shell.in_memory(1));
}

TEST_CASE("a late report about an earlier reader does not free a doomed object") {
  shard_shell shell;
  shell.put(1, 10);
  REQUIRE(shell.pin(1));
  shell.release(1);
  shell.tell_unpinned(object_number(1));
  CHECK(shell.in_memory(1));
  shell.unpin(1);
  CHECK_FALSE(shell.in_memory(1));
}

TEST_CASE("the last reader's report may overtake the answer that there was one") {
  shard_shell shell{{.capacity_bytes = 100}, answers::late};
  shell.put(1, 10);
  REQUIRE(shell.pin(1));
  shell.release(1);
  CHECK(shell.words.at(object_number(1)).doom() == reclaim_result::pinned);
  shell.questions.clear();
  shell.unpin(1);
  shell.event([&](auto& out) {
    shell.table.reclaim_refused(object_number(1), reclaim_obstacle::pinned, use_stamp{}, out);
  });
  REQUIRE(shell.questions.size() == 1);
  shell.answer(0);
  CHECK_FALSE(shell.in_memory(1));
}

TEST_CASE("releasing an unsealed object is deferred to its seal") {
  shard_shell shell;
  shell.create(1, 10);
  shell.release(1);
  CHECK(shell.in_memory(1));
  shell.seal(1);
  CHECK_FALSE(shell.in_memory(1));
}

TEST_CASE("releasing an unsealed object is deferred to its abort") {
  shard_shell shell;
  shell.create(1, 10);
  shell.release(1);
  shell.abort(1);
  CHECK(shell.table.stats().used_bytes == 0);
}

TEST_CASE("releasing an object that waits for space ends the wait") {
  shard_shell shell;
  shell.create(1, 100);
  shell.create(2, 50);
  shell.release(2);
  CHECK(shell.refused(2) == refusal::released);
}

TEST_CASE("a reader that asks for an unsealed object is served when it is sealed") {
  shard_shell shell;
  shell.create(1, 10);
  shell.request(50, 1);
  CHECK_FALSE(shell.was_served(50));
  shell.seal(1);
  CHECK(shell.was_served(50));
}

TEST_CASE("a reader that asks for an object whose creator gives up is refused") {
  shard_shell shell;
  shell.create(1, 10);
  shell.request(50, 1);
  shell.abort(1);
  CHECK(shell.refused(50) == refusal::not_here);
}

TEST_CASE("a reader that asks for an unknown object is refused") {
  shard_shell shell;
  shell.request(50, 1);
  CHECK(shell.refused(50) == refusal::not_here);
}

// -- the end --------------------------------------------------------------------

TEST_CASE("shutting down refuses what waits and frees what is there") {
  shard_shell shell;
  shell.put(1, 100);
  REQUIRE(shell.pin(1));
  shell.create(2, 10);
  shell.shut_down();
  CHECK(shell.refused(2) == refusal::shutting_down);
  CHECK_FALSE(shell.drained);
  shell.unpin(1);
  CHECK(shell.drained);
  shell.create(3, 10);
  CHECK(shell.refused(3) == refusal::shutting_down);
}

TEST_CASE("readers that come after the shutdown hear of it, and not that their object is lost") {
  shard_shell shell;
  shell.put(1, 60);
  REQUIRE(shell.pin(1));
  shell.put(2, 40);
  shell.shut_down();
  shell.request(50, 1);
  CHECK(shell.refused(50) == refusal::shutting_down);
  shell.request(51, 2);
  CHECK(shell.refused(51) == refusal::shutting_down);
}

TEST_CASE("shutting down waits for creators and for lent credit") {
  shard_shell shell;
  shell.create(1, 10);
  shell.lend(10);
  shell.take_credit(5);
  shell.shut_down();
  shell.seal(1);
  CHECK_FALSE(shell.drained);
  shell.add_sealed(2, 5);
  CHECK(shell.drained);
}

TEST_CASE_FIXTURE(spilled_fixture, "shutting down leaves no record") {
  shut_down();
  CHECK(forgotten.contains(object_number(1)));
  CHECK(drained);
}

TEST_CASE_FIXTURE(spilled_fixture, "the figures add up in every state") {
  auto stats = table.stats();
  CHECK(stats.spilled == object_tally{1, 60});
  CHECK(stats.primary == object_tally{1, 60});
  CHECK(stats.spills == object_tally{1, 60});
  CHECK(stats.unloads == object_tally{1, 60});
  CHECK(stats.used_bytes == 60);
}

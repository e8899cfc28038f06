// What a node fetches, and when (from whom: pull_source_test.cpp): Ray's tests of its pull manager
// and its object buffer pool (reference list D), against our rules.
//
// Where we differ, and why:
//
// | Ray                                      | here                                               |
// |------------------------------------------|----------------------------------------------------|
// | pulls bundles: all of a task's arguments | pulls objects: whoever waits for several is told   |
// | or none                                  | of each, and an argument that is here early costs  |
// |                                          | nothing that eviction does not take back           |
// | pins the members of active bundles on    | an object that has arrived is the shard's, and     |
// | arrival                                  | pinned by who reads it                             |
// | polls a timer each 100 ms                | a timer for each pull that only time can help      |
// | times out what has no location only if a | times out whatever has no copy                     |
// | location message ever came (#59807)      |                                                    |
// | restores a spilled copy before it is     | the node that spilled it serves it from its file   |
// | pulled, here or there                    | (push_table_test.cpp); restoring one's own copy is |
// |                                          | no pull                                            |
// | drops chunks that were not asked for     | an ask has an end; what comes after it is dropped  |
// |                                          | by the data port                                   |

#include "pull_shell.hpp"

using namespace mobula;
using namespace mobula::test;

using enum pull_priority;
using enum pull_timer_purpose;

TEST_CASE("an object arrives in chunks, in order, and its request ends once (Basic, MultiChunk)") {
  pull_shell shell;
  shell.start(1, 25, {1});
  CHECK(shell.asked_offsets() == std::vector<std::uint64_t>{0, 10});
  shell.deliver();
  CHECK(shell.asked_offsets() == std::vector<std::uint64_t>{10, 20});
  shell.deliver_all();
  CHECK(shell.arrived.at(1) == 1);
  CHECK(shell.table.stats().objects == 0);
}

TEST_CASE("chunks are spread over the connections to a node") {
  pull_shell shell;
  shell.start(1, 100, {1});
  CHECK(shell.asks[0].lane == data_lane{0});
  CHECK(shell.asks[1].lane == data_lane{1});
  shell.deliver(1);
  CHECK(shell.asks[1].lane == data_lane{1});
}

TEST_CASE("nothing is asked before the store has granted a buffer") {
  pull_shell shell;
  shell.pull(1);
  CHECK(shell.reservations.empty());
  shell.locate(1, 10, {1});
  CHECK(shell.reserving() == std::set<std::uint64_t>{1});
  CHECK(shell.asks.empty());
  CHECK(shell.table.received(object_number(1)) == nullptr);
}

TEST_CASE("an object without any bytes arrives with its buffer") {
  pull_shell shell;
  shell.start(1, 0, {1});
  CHECK(shell.arrived.at(1) == 1);
}

TEST_CASE("what has arrived can be read by others before the rest is here") {
  pull_shell shell;
  shell.start(1, 20, {1});
  CHECK(shell.serving.contains(1));
  shell.deliver(1);
  REQUIRE(shell.table.received(object_number(1)) != nullptr);
  CHECK(shell.table.received(object_number(1))->present_from(10) == byte_range{10, 20});
  CHECK(shell.table.received(object_number(2)) == nullptr);
}

// -- requests -----------------------------------------------------------------------

TEST_CASE("several requests for an object are one pull (DeduplicateBundles)") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.pull(1, argument);
  shell.pull(1, wait);
  CHECK(shell.asks.size() == 1);
  CHECK(shell.table.stats().requests == 3);
  shell.deliver_all();
  CHECK(shell.arrived.at(1) == 1);
  CHECK(shell.table.stats().requests == 0);
}

TEST_CASE("a pull goes on until its last request is canceled "
          "(DuplicateObjectsAreActivatedAndCleanedUp)") {
  pull_shell shell;
  auto first = shell.pull(1);
  auto second = shell.pull(1);
  shell.locate(1, 10, {1});
  shell.grant(1);
  shell.cancel(first);
  CHECK(shell.canceled.empty());
  shell.cancel(second);
  CHECK(shell.canceled.size() == 1);
  shell.lose();
  CHECK(shell.buffers.empty());
  CHECK(shell.table.stats().objects == 0);
}

TEST_CASE("a canceled pull gives its buffer back when its last ask has ended (Abort)") {
  pull_shell shell;
  auto token = shell.pull(1);
  shell.locate(1, 20, {1});
  shell.grant(1);
  shell.cancel(token);
  CHECK(shell.buffers.contains(1));
  shell.deliver();
  CHECK(shell.buffers.contains(1));
  shell.lose();
  CHECK(shell.buffers.empty());
  CHECK(shell.arrived.empty());
}

TEST_CASE("a new request saves a canceled pull with what it has") {
  pull_shell shell;
  auto token = shell.pull(1);
  shell.locate(1, 20, {1});
  shell.grant(1);
  shell.deliver();
  shell.cancel(token);
  shell.pull(1);
  shell.lose();
  CHECK(shell.asked_offsets() == std::vector<std::uint64_t>{10});
  shell.deliver();
  CHECK(shell.arrived.at(1) == 1);
}

TEST_CASE("a canceled request for a buffer is withdrawn, and one granted all the same given back") {
  pull_shell shell;
  auto token = shell.pull(1);
  shell.locate(1, 20, {1});
  shell.cancel(token);
  CHECK(shell.withdrawn.contains(1));
  shell.grant(1);
  CHECK(shell.buffers.empty());
  CHECK(shell.table.stats().objects == 0);
}

TEST_CASE("canceling what has ended changes nothing") {
  pull_shell shell;
  auto token = shell.pull(1);
  shell.locate(1, 0, {1});
  shell.grant(1);
  shell.cancel(token);
  CHECK(shell.arrived.at(1) == 1);
}

TEST_CASE("an object that has no value any more fails at once, whatever is under way") {
  pull_shell shell;
  shell.start(1, 20, {1});
  shell.fail(1, error_type::owner_died);
  CHECK(shell.failed.at(1) == error_type::owner_died);
  shell.lose();
  shell.lose();
  CHECK(shell.table.stats().objects == 0);
  CHECK(shell.buffers.empty());
}

// -- time ---------------------------------------------------------------------------

TEST_CASE("an object that nobody ever located times out (TimeOut)") {
  pull_shell shell;
  shell.pull(1);
  shell.fire(locate);
  CHECK(shell.failed.at(1) == error_type::object_fetch_timed_out);
  CHECK(shell.table.stats().objects == 0);
}

TEST_CASE("an object that is being made does not time out (TimeOut)") {
  pull_shell shell;
  shell.pull(1);
  shell.news(1, {.sequence = 1, .readiness = object_readiness::pending});
  shell.fire(locate);
  CHECK(shell.failed.empty());
}

TEST_CASE("an attempt begins the time anew (TimeOutAfterFailedPull)") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.fire(locate);
  CHECK(shell.failed.empty());
  shell.refuse(refusal_reason::not_here);
  CHECK(shell.timers_for(locate) == 1);
  shell.fire(locate);
  CHECK(shell.failed.at(1) == error_type::object_fetch_timed_out);
  CHECK(shell.buffers.empty());
}

TEST_CASE("a limit that was set for an earlier wait does not end a later one") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.refuse(refusal_reason::not_here);
  shell.fire_oldest(locate);
  CHECK(shell.failed.empty());
  shell.fire_oldest(locate);
  CHECK(shell.failed.at(1) == error_type::object_fetch_timed_out);
}

TEST_CASE("news that change nothing do not postpone the end of a wait") {
  pull_shell shell;
  shell.pull(1);
  shell.locate(1, 10, {});
  shell.locate(1, 10, {});
  CHECK(shell.timers_for(locate) == 1);
  shell.fire_oldest(locate);
  CHECK(shell.failed.at(1) == error_type::object_fetch_timed_out);
}

TEST_CASE("an object that was being made and is ready without a copy times out again") {
  pull_shell shell;
  shell.pull(1);
  shell.news(1, {.sequence = 1, .readiness = object_readiness::pending});
  shell.news(1, {.sequence = 2, .size_bytes = 10});
  shell.fire_oldest(locate);
  CHECK(shell.failed.empty());
  shell.fire_oldest(locate);
  CHECK(shell.failed.at(1) == error_type::object_fetch_timed_out);
}

TEST_CASE("a restored copy that the owner reports is fetched (RestoreSpilledObjectRemote)") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.refuse(refusal_reason::unreadable);
  shell.locate(1, 10, {1});
  CHECK(shell.asked_nodes() == std::vector<std::uint64_t>{1});
}

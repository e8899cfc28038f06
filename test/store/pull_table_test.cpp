// What a node fetches, when, and from whom: Ray's tests of its pull manager and its object buffer
// pool (reference list D), against our rules.
//
// Where we differ, and why:
//
// | Ray | here |
// | --- | --- |
// | pulls bundles: all of a task's arguments or none | pulls objects: whoever waits for several is
// told of each, and an argument that is here early costs nothing that eviction does not take back |
// | pins the members of active bundles on arrival | an object that has arrived is the shard's, and
// pinned by who reads it | | polls a timer each 100 ms | a timer for each pull that only time can
// help | | times out what has no location only if a location message ever came (#59807) | times out
// whatever has no copy | | restores a spilled copy before it is pulled, here or there | the node
// that spilled it serves it from its file (push_table_test.cpp); restoring one's own copy is no
// pull | | drops chunks that were not asked for | an ask has an end; what comes after it is dropped
// by the data port |

#include "pull_shell.hpp"

using namespace mobula;
using namespace mobula::test;

using enum pull_class;
using enum pull_timer_purpose;

TEST_CASE("an object arrives in chunks, in order, and its request ends once (Basic, MultiChunk)") {
  pull_shell shell;
  shell.start(1, 25, {1});
  CHECK(shell.asked_offsets() == std::vector<std::uint64_t>{0, 10});
  shell.deliver();
  CHECK(shell.asked_offsets() == std::vector<std::uint64_t>{10, 20});
  shell.deliver_all();
  CHECK(shell.arrived[1] == 1);
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

TEST_CASE("nothing is asked before the store has granted room") {
  pull_shell shell;
  shell.pull(1);
  CHECK(shell.reservations.empty());
  shell.locate(1, 10, {1});
  CHECK(shell.reserving() == std::set<std::uint64_t>{1});
  CHECK(shell.asks.empty());
}

TEST_CASE("an object without any bytes arrives with its room") {
  pull_shell shell;
  shell.start(1, 0, {1});
  CHECK(shell.arrived[1] == 1);
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
  CHECK(shell.arrived[1] == 1);
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
  CHECK(shell.rooms.empty());
  CHECK(shell.table.stats().objects == 0);
}

TEST_CASE("a canceled pull gives its room back when its last ask has ended (Abort)") {
  pull_shell shell;
  auto token = shell.pull(1);
  shell.locate(1, 20, {1});
  shell.grant(1);
  shell.cancel(token);
  CHECK(shell.rooms.contains(1));
  shell.deliver();
  CHECK(shell.rooms.contains(1));
  shell.lose();
  CHECK(shell.rooms.empty());
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
  CHECK(shell.arrived[1] == 1);
}

TEST_CASE("a canceled request for room is withdrawn, and room granted all the same given back") {
  pull_shell shell;
  auto token = shell.pull(1);
  shell.locate(1, 20, {1});
  shell.cancel(token);
  CHECK(shell.withdrawn.contains(1));
  shell.grant(1);
  CHECK(shell.rooms.empty());
  CHECK(shell.table.stats().objects == 0);
}

TEST_CASE("canceling what has ended changes nothing") {
  pull_shell shell;
  auto token = shell.pull(1);
  shell.locate(1, 0, {1});
  shell.grant(1);
  shell.cancel(token);
  CHECK(shell.arrived[1] == 1);
}

TEST_CASE("an object that has no value any more fails at once, whatever is under way") {
  pull_shell shell;
  shell.start(1, 20, {1});
  shell.fail(1, error_type::owner_died);
  CHECK(shell.failed[1] == error_type::owner_died);
  shell.lose();
  shell.lose();
  CHECK(shell.table.stats().objects == 0);
  CHECK(shell.rooms.empty());
}

// -- news ---------------------------------------------------------------------------

TEST_CASE("news about an object that nobody wants are ignored (StaleSubscription)") {
  pull_shell shell;
  auto token = shell.pull(1);
  shell.cancel(token);
  shell.locate(1, 10, {1});
  CHECK(shell.reservations.empty());
  CHECK(shell.table.stats().objects == 0);
}

TEST_CASE("news older than what is known are ignored") {
  pull_shell shell;
  shell.pull(1);
  shell.news(1, {.sequence = 5, .size_bytes = 10, .copies = pull_shell::copies_on({1})});
  shell.news(1, {.sequence = 4, .size_bytes = 99, .copies = pull_shell::copies_on({2})});
  shell.news(1, {.sequence = 5, .size_bytes = 99, .copies = pull_shell::copies_on({2})});
  shell.grant(1);
  CHECK(shell.asked_nodes() == std::vector<std::uint64_t>{1});
}

TEST_CASE("news from another incarnation than the owner's are ignored") {
  pull_shell shell;
  shell.pull(1);
  shell.event([&](auto& out) {
    shell.table.located(
      object_number(1),
      {.owner = node_number(9), .sequence = 1, .copies = pull_shell::copies_on({1})}, out);
  });
  CHECK(shell.reservations.empty());
}

TEST_CASE("any number of news make one pull (ManyUpdates)") {
  pull_shell shell;
  shell.pull(1);
  for (int i = 0; i < 100; ++i)
    shell.locate(1, 10, {1});
  shell.grant(1);
  for (int i = 0; i < 100; ++i)
    shell.locate(1, 10, {1});
  CHECK(shell.asks.size() == 1);
}

TEST_CASE("this node is no source of its own, and only so many are remembered") {
  pull_shell shell{pull_shell::small({.self = node_number(1), .max_sources = 2})};
  shell.start(1, 10, {1, 2, 3, 4});
  CHECK(shell.asked_nodes() != std::vector<std::uint64_t>{1});
  shell.refuse(refusal_reason::busy);
  shell.refuse(refusal_reason::busy);
  CHECK(shell.asks.empty());
}

TEST_CASE("another size makes the pull begin again (SizeMismatch)") {
  pull_shell shell;
  shell.start(1, 20, {1});
  shell.deliver();
  shell.locate(1, 15, {1});
  CHECK(shell.canceled.size() == 1);
  shell.lose();
  CHECK(shell.rooms.empty());
  shell.grant(1);
  CHECK(shell.asked_offsets() == std::vector<std::uint64_t>{0, 10});
  shell.deliver_all();
  CHECK(shell.arrived[1] == 1);
}

TEST_CASE("another size while room is asked for withdraws that first") {
  pull_shell shell;
  shell.pull(1);
  shell.locate(1, 20, {1});
  shell.locate(1, 15, {1});
  CHECK(shell.withdrawn.contains(1));
  shell.refuse_room(1);
  shell.grant(1);
  shell.deliver_all();
  CHECK(shell.table.stats().arrived_bytes == 15);
}

TEST_CASE("a copy that is shorter than the owner says is no source") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.refuse(refusal_reason::out_of_range);
  CHECK(shell.asks.empty());
  shell.locate(1, 10, {2});
  CHECK(shell.asked_nodes() == std::vector<std::uint64_t>{2});
}

// -- sources ------------------------------------------------------------------------

TEST_CASE("a copy on the same host is asked first") {
  pull_shell shell;
  shell.pull(1);
  shell.news(1, {.sequence = 1,
                 .size_bytes = 10,
                 .copies = {{node_number(1), copy_distance::other_host},
                            {node_number(2), copy_distance::same_host},
                            {node_number(3), copy_distance::other_host}}});
  shell.grant(1);
  CHECK(shell.asked_nodes() == std::vector<std::uint64_t>{2});
}

TEST_CASE("the node that is asked least is asked next (LoadBalancing)") {
  pull_shell shell;
  shell.start(1, 10, {1, 2});
  shell.start(2, 10, {1, 2});
  auto nodes = shell.asked_nodes();
  CHECK(std::set(nodes.begin(), nodes.end()).size() == 2);
}

TEST_CASE("different nodes begin with different sources") {
  std::set<std::uint64_t> chosen;
  for (std::uint64_t self = 100; self < 120; ++self) {
    pull_shell shell{pull_shell::small({.self = node_number(self)})};
    shell.start(1, 10, {1, 2, 3});
    chosen.insert(shell.asked_nodes().front());
  }
  CHECK(chosen == std::set<std::uint64_t>{1, 2, 3});
}

TEST_CASE("when a source dies the rest comes from another, from the first missing byte") {
  pull_shell shell;
  shell.start(1, 40, {1});
  shell.deliver();
  shell.arrive(3);
  shell.locate(1, 40, {1, 2});
  shell.lose();
  CHECK(shell.asks.back().node == node_number(2));
  CHECK(shell.asks.back().range.offset_bytes == 13);
  shell.lose();
  CHECK(shell.asked_nodes() == std::vector<std::uint64_t>{2, 2});
  shell.deliver_all();
  CHECK(shell.arrived[1] == 1);
  CHECK(shell.table.stats().arrived_bytes == 40);
}

TEST_CASE("a source that refuses is left for another") {
  pull_shell shell;
  shell.start(1, 10, {1, 2});
  auto first = shell.asks.front().node;
  shell.refuse(refusal_reason::not_here);
  CHECK(shell.asks.front().node != first);
  shell.refuse(refusal_reason::unreadable);
  CHECK(shell.asks.empty());
}

TEST_CASE("a node that died is no source") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.node_lost(1);
  shell.lose();
  CHECK(shell.asks.empty());
  shell.fire(retry);
  CHECK(shell.asks.empty());
}

TEST_CASE("news of another copy make an immediate attempt (RetryTimer)") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.lose();
  CHECK(shell.asks.empty());
  shell.locate(1, 10, {1, 2});
  CHECK(shell.asked_nodes() == std::vector<std::uint64_t>{2});
}

TEST_CASE("when every copy has failed they are tried again, after ever longer waits (RetryTimer)") {
  pull_shell shell{pull_shell::small({.retry_ms = 100})};
  shell.start(1, 10, {1});
  for (std::uint64_t delay : {100, 200, 400, 800}) {
    shell.lose();
    CHECK(shell.last_delay(retry) == delay);
    shell.fire(retry);
  }
  for (int i = 0; i < 20; ++i) {
    shell.lose();
    CHECK(shell.last_delay(retry) <= 100 << 10);
    shell.fire(retry);
  }
  shell.arrive(1);
  shell.lose();
  CHECK(shell.last_delay(retry) == 100);
}

TEST_CASE("a timer that no longer counts changes nothing") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.lose();
  shell.locate(1, 10, {2});
  shell.fire(retry);
  CHECK(shell.asked_nodes() == std::vector<std::uint64_t>{2});
}

TEST_CASE("a source that is silent is given up for another") {
  pull_shell shell;
  shell.start(1, 20, {1});
  shell.locate(1, 20, {1, 2});
  shell.fire(sweep);
  CHECK(shell.canceled.empty());
  shell.fire(sweep);
  CHECK(shell.canceled.size() == 2);
  shell.lose();
  shell.lose();
  CHECK(shell.asked_nodes() == std::vector<std::uint64_t>{2, 2});
}

TEST_CASE("a source that sends anything is not given up") {
  pull_shell shell;
  shell.start(1, 100, {1});
  for (int i = 0; i < 5; ++i) {
    shell.arrive(1);
    shell.fire(sweep);
  }
  CHECK(shell.canceled.empty());
}

TEST_CASE("nothing is swept while nothing is asked for") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.deliver();
  shell.fire(sweep);
  CHECK(shell.last_delay(sweep) == 0);
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

// -- time ---------------------------------------------------------------------------

TEST_CASE("an object that nobody ever located times out (TimeOut)") {
  pull_shell shell;
  shell.pull(1);
  shell.fire(locate);
  CHECK(shell.failed[1] == error_type::object_fetch_timed_out);
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
  CHECK(shell.last_delay(locate) > 0);
  shell.fire(locate);
  CHECK(shell.failed[1] == error_type::object_fetch_timed_out);
  CHECK(shell.rooms.empty());
}

TEST_CASE("a restored copy that the owner reports is fetched (RestoreSpilledObjectRemote)") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.refuse(refusal_reason::unreadable);
  shell.locate(1, 10, {1});
  CHECK(shell.asked_nodes() == std::vector<std::uint64_t>{1});
}

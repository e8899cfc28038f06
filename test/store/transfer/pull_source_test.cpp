// From whom a node fetches: what it makes of news about copies, and how it chooses among them. The
// table at the top of pull_table_test.cpp says where Ray differs.

#include "pull_shell.hpp"

using namespace mobula;
using namespace mobula::test;

using enum pull_timer_purpose;

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
  CHECK(shell.buffers.empty());
  shell.grant(1);
  CHECK(shell.asked_offsets() == std::vector<std::uint64_t>{0, 10});
  shell.deliver_all();
  CHECK(shell.arrived.at(1) == 1);
}

TEST_CASE("another size while a buffer is asked for withdraws that first") {
  pull_shell shell;
  shell.pull(1);
  shell.locate(1, 20, {1});
  shell.locate(1, 15, {1});
  CHECK(shell.withdrawn.contains(1));
  shell.refuse_buffer(1);
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
  CHECK(shell.arrived.at(1) == 1);
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

TEST_CASE("a retry that was due for an earlier failure does not hasten the next one") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.lose();
  shell.locate(1, 10, {1, 2});
  shell.lose();
  shell.fire_oldest(retry);
  CHECK(shell.asks.empty());
  shell.fire_oldest(retry);
  CHECK(shell.asks.size() == 1);
}

TEST_CASE("news that change nothing do not postpone a retry") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.lose();
  shell.locate(1, 10, {1});
  CHECK(shell.timers_for(retry) == 1);
  shell.fire_oldest(retry);
  CHECK(shell.asked_nodes() == std::vector<std::uint64_t>{1});
}

TEST_CASE("the late refusal of a canceled ask leaves the source that newer news name") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.locate(1, 15, {1});
  REQUIRE(shell.canceled.size() == 1);
  shell.refuse(refusal_reason::not_here);
  shell.grant(1);
  CHECK(shell.asked_nodes() == std::vector<std::uint64_t>{1, 1});
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

TEST_CASE("a connection that brings nothing is closed") {
  pull_shell shell;
  shell.start(1, 20, {1});
  shell.fire(sweep);
  CHECK(shell.closed_lanes.empty());
  shell.fire(sweep);
  CHECK(shell.closed_lanes.size() == 2);
}

TEST_CASE("a silent connection is closed, and not the other one to that node") {
  pull_shell shell;
  shell.start(1, 20, {1});
  shell.fire(sweep);
  shell.progress(0);
  shell.fire(sweep);
  REQUIRE(shell.closed_lanes.size() == 1);
  CHECK(shell.closed_lanes[0].lane == shell.asks[1].lane);
  CHECK(shell.canceled.empty()); // The asks over it end with it.
}

TEST_CASE("a connection is closed however many new objects are asked for over it") {
  pull_shell shell;
  for (std::uint64_t number = 1; number < 5; ++number) {
    shell.start(number, 20, {1});
    shell.fire(sweep);
  }
  CHECK(!shell.closed_lanes.empty());
}

TEST_CASE("a chunk may take any time as long as bytes of it come") {
  pull_shell shell;
  shell.start(1, 10, {1});
  for (int i = 0; i < 20; ++i) {
    shell.progress();
    shell.fire(sweep);
  }
  CHECK(shell.canceled.empty());
  CHECK(shell.closed_lanes.empty());
}

TEST_CASE("a refusal is a sign of life of its connection") {
  pull_shell shell{pull_shell::small({.lanes_per_node = 1})};
  shell.start(1, 10, {1});
  shell.start(2, 10, {1});
  shell.fire(sweep);
  shell.refuse(refusal_reason::busy);
  shell.fire(sweep);
  CHECK(shell.closed_lanes.empty());
}

TEST_CASE("nothing is swept while nothing is asked for") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.deliver();
  shell.fire(sweep);
  CHECK(shell.timers_for(sweep) == 0);
}

// -- timers -------------------------------------------------------------------------

TEST_CASE("the wait for a copy ends when there is one") {
  pull_shell shell;
  shell.pull(1);
  CHECK(shell.running_timers.size() == 1);
  shell.locate(1, 10, {1});
  CHECK(shell.running_timers.empty());
}

TEST_CASE("a pull that arrived leaves no timer") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.deliver();
  CHECK(shell.arrived[1] == 1);
  CHECK(shell.running_timers.empty());
}

TEST_CASE("a pull that failed leaves no timer") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.lose();
  CHECK(shell.running_timers.size() == 1); // The wait for another try.
  shell.fail(1, error_type::owner_died);
  CHECK(shell.running_timers.empty());
}

TEST_CASE("a pull that was canceled leaves no timer") {
  pull_shell shell;
  auto first = shell.pull(1);
  shell.cancel(first);
  CHECK(shell.running_timers.empty());
}

TEST_CASE("any number of pulls that ended leave no timer") {
  pull_shell shell;
  for (std::uint64_t number = 1; number <= 1'000; ++number) {
    shell.start(number, 10, {1});
    shell.deliver();
  }
  CHECK(shell.running_timers.empty());
}

TEST_CASE("news that end a wait for another try end its timer") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.lose();
  shell.locate(1, 10, {2});
  CHECK(shell.asked_nodes() == std::vector<std::uint64_t>{2});
  CHECK(shell.running_timers.size() == 1); // That of the ask.
}

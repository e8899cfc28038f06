// Pulls that begin again, and what of an earlier round must not count in a later one; the limits
// met exactly; the figures.

#include "pull_shell.hpp"

using namespace mobula;
using namespace mobula::test;

using enum pull_priority;
using enum pull_timer_purpose;

// -- beginning again ------------------------------------------------------------------

TEST_CASE("a new request does not save what is here of another size") {
  pull_shell shell;
  shell.start(1, 20, {1});
  shell.deliver();
  shell.locate(1, 15, {1});
  CHECK(shell.table.received(object_number(1)) == nullptr);
  shell.pull(1);
  shell.lose();
  CHECK(shell.buffers.empty());
  shell.grant(1);
  CHECK(shell.asked_offsets() == std::vector<std::uint64_t>{0, 10});
  CHECK(shell.table.received(object_number(1)) != nullptr);
  CHECK(shell.table.stats().restarts == 1);
}

TEST_CASE("a pull that begins again for two reasons begins again once") {
  pull_shell shell;
  shell.start(1, 20, {1});
  shell.locate(1, 15, {1});
  shell.locate(1, 25, {1});
  shell.lose();
  shell.lose();
  shell.grant(1);
  shell.deliver_all();
  CHECK(shell.arrived.at(1) == 1);
  CHECK(shell.table.stats().restarts == 1);
}

TEST_CASE("a buffer that was withdrawn once is kept when it is granted again") {
  pull_shell shell;
  shell.pull(1);
  shell.locate(1, 20, {1});
  shell.locate(1, 15, {1});
  shell.locate(1, 10, {1});
  shell.grant(1);
  CHECK(shell.buffers.empty());
  shell.grant(1);
  CHECK(shell.asks.size() == 1);
}

TEST_CASE("an object that nobody wants any more does not fail") {
  pull_shell shell;
  auto token = shell.pull(1);
  shell.locate(1, 10, {1});
  shell.grant(1);
  shell.cancel(token);
  shell.fail(1, error_type::owner_died);
  CHECK(shell.failed.empty());
}

TEST_CASE("a buffer that a pull gave back to tight memory is not asked for at once") {
  pull_shell shell;
  shell.start(1, 10, {1}, argument);
  shell.start(2, 10, {1}, argument);
  shell.memory_tight(10);
  shell.lose(1);
  CHECK(shell.reserving().empty());
  shell.fire(retry);
  CHECK(shell.reserving() == numbers{2});
}

TEST_CASE("a buffer that is on its way back counts when memory is tight again") {
  pull_shell shell;
  for (std::uint64_t number : {1, 2, 3})
    shell.start(number, 10, {1}, argument);
  shell.memory_tight(10);
  shell.memory_tight(10);
  CHECK(shell.canceled.size() == 1);
}

TEST_CASE("a buffer that was only asked for is none to give back") {
  pull_shell shell;
  shell.start(1, 10, {1}, argument);
  shell.start(2, 10, {1}, argument);
  shell.pull(3, argument);
  shell.locate(3, 10, {1});
  shell.memory_tight(10);
  CHECK(shell.canceled.size() == 1);
}

TEST_CASE("an argument that finds no space takes none from those behind it") {
  pull_shell shell;
  shell.pull(1, argument);
  shell.start(2, 10, {1}, argument);
  shell.locate(1, 10, {1});
  shell.refuse_buffer(1);
  CHECK(shell.canceled.empty());
}

TEST_CASE("an argument that is refused beside a get that waits for a buffer is held") {
  pull_shell shell;
  shell.pull(1, get);
  shell.pull(2, argument);
  shell.locate(1, 10, {1});
  shell.locate(2, 10, {1});
  shell.refuse_buffer(2);
  CHECK(shell.failed.empty());
}

TEST_CASE("what is held waits for its time while another has a buffer and nobody to ask") {
  pull_shell shell;
  shell.start(1, 10, {1}, argument);
  shell.pull(2, argument);
  shell.locate(2, 10, {1});
  shell.refuse_buffer(2);
  shell.refuse(refusal_reason::not_here);
  CHECK(shell.reserving().empty());
  shell.fire(retry);
  CHECK(shell.reserving() == numbers{2});
}

TEST_CASE("a buffer that one gives back has all who are held ask again") {
  pull_shell shell;
  shell.start(1, 10, {1}, argument);
  auto token = shell.pull(2, argument);
  shell.locate(2, 10, {1});
  shell.grant(2);
  for (std::uint64_t number : {3, 4}) {
    shell.pull(number, argument);
    shell.locate(number, 10, {1});
    shell.refuse_buffer(number);
  }
  shell.cancel(token);
  shell.lose(1);
  CHECK(shell.reserving() == numbers{3, 4});
}

TEST_CASE("a pull goes on while one of its asks does") {
  pull_shell shell{narrow(1)};
  shell.start(1, 20, {1}, argument);
  shell.pull(2, argument);
  shell.locate(2, 10, {1});
  shell.lose();
  CHECK(shell.reserving().empty());
  CHECK(shell.timers_for(retry) == 0);
  shell.lose();
  CHECK(shell.reserving() == numbers{2});
  CHECK(shell.timers_for(retry) == 1);
}

TEST_CASE("a get for an object that others only wait for makes it a get") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.pull(2, get);
  shell.pull(2, wait);
  shell.locate(2, 10, {1});
  CHECK(shell.reservations.at(2) == reserve_priority::must);
}

TEST_CASE("a pull that begins again chooses its source anew") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.news(1, {.sequence = 2,
                 .size_bytes = 5,
                 .copies = {{node_number(1), copy_distance::other_host},
                            {node_number(2), copy_distance::same_host}}});
  shell.refuse(refusal_reason::busy);
  shell.grant(1);
  CHECK(shell.asked_nodes() == std::vector<std::uint64_t>{2});
}

TEST_CASE("a pull that was held once is not held again when its object has another size") {
  pull_shell shell;
  shell.start(1, 10, {1}, argument);
  shell.pull(2, argument);
  shell.locate(2, 10, {1});
  shell.refuse_buffer(2);
  shell.deliver();
  REQUIRE(shell.reserving() == numbers{2});
  shell.start(3, 10, {1}, argument);
  shell.locate(2, 15, {1});
  shell.grant(2);
  CHECK(shell.buffers == numbers{3});
  CHECK(shell.reserving() == numbers{2});
}

// -- time -----------------------------------------------------------------------------

TEST_CASE("a sweep of asks that have ended does not count against the next ones") {
  pull_shell shell{narrow(1)};
  shell.start(1, 10, {1}, argument);
  shell.pull(2, argument);
  shell.locate(2, 10, {1});
  shell.deliver();
  shell.grant(2);
  shell.fire_oldest(sweep);
  shell.fire_oldest(sweep);
  CHECK(shell.closed_lanes.empty());
}

TEST_CASE("waits for another try double ten times at most") {
  pull_shell shell{pull_shell::small({.retry_ms = 1})};
  shell.start(1, 10, {1});
  for (int round = 0; round < 12; ++round) {
    shell.lose();
    if (round < 11)
      shell.fire(retry);
  }
  CHECK(shell.last_delay(retry) == 1 << 10);
}

TEST_CASE("a pull that waits for its turn has no timer") {
  pull_shell shell{narrow(1)};
  shell.start(1, 10, {1}, argument);
  shell.pull(2, argument);
  shell.locate(2, 10, {1});
  CHECK(shell.timers_for(retry) == 0);
}

TEST_CASE("what was just asked for over a silent connection is not given up with the rest") {
  pull_shell shell{pull_shell::small({.lanes_per_node = 1})};
  shell.start(1, 10, {1});
  shell.fire(sweep);
  shell.start(2, 10, {1});
  shell.fire(sweep);
  CHECK(shell.closed_lanes.size() == 1);
  CHECK(shell.canceled == std::set{shell.asks.front().ask});
}

TEST_CASE("a silent connection to one node says nothing about another node's") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.start(2, 10, {2});
  shell.fire(sweep);
  shell.progress(1);
  shell.fire(sweep);
  REQUIRE(shell.closed_lanes.size() == 1);
  CHECK(shell.closed_lanes[0].node == node_number(1));
  CHECK(shell.canceled == std::set{shell.asks[0].ask});
}

// -- sources --------------------------------------------------------------------------

TEST_CASE("all chunks of an object are asked of one node") {
  pull_shell shell;
  shell.start(1, 100, {1, 2, 3});
  auto first = shell.asked_nodes().front();
  shell.deliver();
  CHECK(shell.asked_nodes() == std::vector<std::uint64_t>{first, first});
}

TEST_CASE("a copy on the same host is asked however much it is asked already") {
  pull_shell shell;
  for (std::uint64_t number : {1, 2}) {
    shell.pull(number);
    shell.news(number, {.sequence = 1,
                        .size_bytes = 10,
                        .copies = {{node_number(1), copy_distance::other_host},
                                   {node_number(2), copy_distance::same_host}}});
    shell.grant(number);
  }
  CHECK(shell.asked_nodes() == std::vector<std::uint64_t>{2, 2});
}

TEST_CASE("a copy on the same host is remembered before the others") {
  pull_shell shell{pull_shell::small({.max_sources = 1})};
  shell.pull(1);
  shell.news(1, {.sequence = 1,
                 .size_bytes = 10,
                 .copies = {{node_number(1), copy_distance::other_host},
                            {node_number(2), copy_distance::same_host}}});
  shell.grant(1);
  CHECK(shell.asked_nodes() == std::vector<std::uint64_t>{2});
}

TEST_CASE("a copy that is named twice is one source") {
  pull_shell shell{pull_shell::small({.max_sources = 2})};
  shell.start(1, 10, {1, 1, 2});
  shell.refuse(refusal_reason::busy);
  CHECK(shell.asks.size() == 1);
}

TEST_CASE("a node begins different objects with different sources") {
  std::set<std::uint64_t> chosen;
  pull_shell shell;
  for (std::uint64_t number = 1; number <= 20; ++number) {
    shell.start(number, 10, {1, 2, 3});
    chosen.insert(shell.asked_nodes().front());
    shell.deliver();
  }
  CHECK(chosen == numbers{1, 2, 3});
}

TEST_CASE("a node that shuts down is no source, a busy one is one later") {
  pull_shell shell;
  shell.start(1, 10, {1, 2});
  auto first = shell.asked_nodes().front();
  shell.refuse(refusal_reason::busy);
  shell.refuse(refusal_reason::shutting_down);
  shell.fire(retry);
  CHECK(shell.asked_nodes() == std::vector{first});
}

TEST_CASE("a node that shuts down is not asked again") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.refuse(refusal_reason::shutting_down);
  CHECK(shell.timers_for(retry) == 0);
  shell.fire(locate);
  CHECK(shell.failed.at(1) == error_type::object_fetch_timed_out);
}

TEST_CASE("when another node dies the rest is still asked of the one that sends") {
  pull_shell shell;
  shell.start(1, 100, {1});
  shell.news(1, {.sequence = 2,
                 .size_bytes = 100,
                 .copies = {{node_number(1), copy_distance::other_host},
                            {node_number(2), copy_distance::other_host},
                            {node_number(3), copy_distance::same_host}}});
  shell.node_lost(2);
  shell.deliver();
  CHECK(shell.asked_nodes() == std::vector<std::uint64_t>{1, 1});
}

// -- limits ---------------------------------------------------------------------------

TEST_CASE("as many bytes may be asked for as the limit says") {
  pull_shell shell{pull_shell::small({.max_asked_bytes = 20})};
  shell.start(1, 100, {1});
  CHECK(shell.asks.size() == 2);
}

TEST_CASE("a small object does not pass one that was kept from asking") {
  pull_shell shell{pull_shell::small({.max_asked_bytes = 15})};
  shell.start(1, 100, {1}, get);
  shell.start(2, 5, {1}, argument);
  REQUIRE(shell.asks.size() == 1);
  shell.start(3, 5, {1}, get);
  CHECK(shell.asks.size() == 1);
}

// -- figures --------------------------------------------------------------------------

TEST_CASE("failed objects, refused asks and lost ones are counted") {
  pull_shell shell;
  shell.start(1, 20, {1, 2});
  shell.lose();
  shell.refuse(refusal_reason::busy);
  shell.fail(1, error_type::owner_died);
  while (!shell.asks.empty())
    shell.lose();
  auto stats = shell.table.stats();
  CHECK(stats.failed_objects == 1);
  CHECK(stats.refused_asks == 1);
  CHECK(stats.lost_asks == 1);
}

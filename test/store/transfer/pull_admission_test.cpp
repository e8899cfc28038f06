// Which pulls get a buffer: the admission tests of Ray's pull manager (reference list D), against
// our rules (pull_table_test.cpp lists the differences).

#include "pull_shell.hpp"

using namespace mobula;
using namespace mobula::test;

using enum pull_priority;
using enum pull_timer_purpose;

TEST_CASE("gets come before waits, and waits before arguments (PrioritizeWorkerRequests)") {
  pull_shell shell{narrow(1)};
  shell.start(1, 10, {1}, argument);
  shell.pull(2, argument);
  shell.pull(3, wait);
  for (std::uint64_t number : {2, 3})
    shell.locate(number, 10, {1});
  CHECK(shell.reserving().empty());
  shell.pull(4, get);
  shell.locate(4, 10, {1});
  CHECK(shell.reserving() == numbers{4});
  shell.grant(4);
  shell.deliver_all();
  CHECK(shell.reserving() == numbers{3});
}

TEST_CASE("the order counts only once the size is known (PrioritizeWorkerRequests, PullOrder)") {
  pull_shell shell{narrow(1)};
  shell.pull(1, wait);
  shell.pull(2, argument);
  shell.locate(2, 10, {1});
  CHECK(shell.reserving() == numbers{2});
  shell.locate(1, 10, {1});
  CHECK(shell.reserving() == numbers{2});
}

TEST_CASE("within a class the first to come is the first to go (PullOrder)") {
  pull_shell shell{narrow(1)};
  for (std::uint64_t number : {1, 2, 3}) {
    shell.pull(number, wait);
  }
  for (std::uint64_t number : {3, 2, 1})
    shell.locate(number, 10, {1});
  CHECK(shell.reserving() == numbers{3});
  shell.grant(3);
  shell.deliver_all();
  CHECK(shell.reserving() == numbers{1});
}

TEST_CASE("a get for an object that is an argument too makes it a get") {
  pull_shell shell{narrow(1)};
  shell.start(1, 10, {1}, argument);
  for (std::uint64_t number : {2, 3}) {
    shell.pull(number, argument);
    shell.locate(number, 10, {1});
  }
  shell.pull(3, get);
  CHECK(shell.reserving() == numbers{3});
}

TEST_CASE("as many are admitted as fit (Queue)") {
  pull_shell shell{pull_shell::small({.max_admitted_bytes = 30})};
  for (std::uint64_t number : {1, 2, 3, 4}) {
    shell.pull(number, argument);
    shell.locate(number, 10, {1});
  }
  CHECK(shell.reserving() == numbers{1, 2, 3});
}

TEST_CASE("one that is alone is admitted however large it is") {
  pull_shell shell{pull_shell::small({.max_admitted_bytes = 30})};
  shell.pull(1, argument);
  shell.locate(1, 100, {1});
  CHECK(shell.reservations.at(1) == reserve_priority::must);
}

TEST_CASE("gets may go beyond the bytes, but not beyond twice the number") {
  pull_shell shell{pull_shell::small({.max_admitted = 2, .max_admitted_bytes = 30})};
  for (std::uint64_t number : {1, 2, 3, 4, 5}) {
    shell.pull(number, get);
    shell.locate(number, 100, {1});
  }
  CHECK(shell.reserving() == numbers{1, 2, 3, 4});
}

TEST_CASE("only a get, and one that is alone, may have others moved out") {
  pull_shell shell;
  for (auto [number, priority] : {std::pair{1, argument}, {2, argument}, {3, wait}, {4, get}}) {
    shell.pull(static_cast<std::uint64_t>(number), priority);
    shell.locate(static_cast<std::uint64_t>(number), 10, {1});
  }
  CHECK(shell.reservations.at(1) == reserve_priority::must);
  CHECK(shell.reservations.at(2) == reserve_priority::if_free);
  CHECK(shell.reservations.at(3) == reserve_priority::if_free);
  CHECK(shell.reservations.at(4) == reserve_priority::must);
}

TEST_CASE("what the store refuses is asked again after a while") {
  pull_shell shell;
  shell.start(1, 10, {1}, argument);
  shell.pull(2, argument);
  shell.locate(2, 10, {1});
  shell.refuse_buffer(2);
  CHECK(shell.reserving().empty());
  shell.fire(retry);
  CHECK(shell.reservations.at(2) == reserve_priority::if_free);
}

TEST_CASE("what the store refuses again is held again, and for longer") {
  pull_shell shell{pull_shell::small({.retry_ms = 100})};
  shell.start(1, 10, {1}, argument);
  shell.pull(2, argument);
  shell.locate(2, 10, {1});
  for (std::uint64_t delay : {100, 200, 400}) {
    shell.refuse_buffer(2);
    CHECK(shell.reserving().empty());
    CHECK(shell.last_delay(retry) == delay);
    shell.fire(retry);
  }
}

TEST_CASE("a granted buffer begins the waits of a pull anew") {
  pull_shell shell{pull_shell::small({.retry_ms = 100})};
  shell.start(1, 10, {1}, argument);
  shell.pull(2, argument);
  shell.locate(2, 10, {1});
  shell.refuse_buffer(2);
  shell.fire(retry);
  shell.grant(2);
  shell.lose(1);
  CHECK(shell.last_delay(retry) == 100);
}

TEST_CASE("what the store refuses is asked again, urgently, when it is alone") {
  pull_shell shell;
  shell.start(1, 10, {1}, argument);
  shell.pull(2, argument);
  shell.locate(2, 10, {1});
  shell.refuse_buffer(2);
  shell.deliver_all();
  CHECK(shell.reservations.at(2) == reserve_priority::must);
}

TEST_CASE("one that is alone and refused all the same fails") {
  pull_shell shell;
  shell.pull(1);
  shell.locate(1, 10, {1});
  shell.refuse_buffer(1);
  CHECK(shell.failed.at(1) == error_type::store_full);
  CHECK(shell.table.stats().objects == 0);
}

TEST_CASE("gets that are refused side by side fail instead of asking in turns") {
  pull_shell shell;
  for (std::uint64_t number : {1, 2, 3}) {
    shell.pull(number);
    shell.locate(number, 10, {1});
  }
  for (std::uint64_t number : {1, 2, 3}) {
    shell.refuse_buffer(number);
    CHECK(shell.failed.at(number) == error_type::store_full);
  }
  CHECK(shell.table.stats().objects == 0);
}

TEST_CASE("a get that is refused while another has a buffer is held, not failed") {
  pull_shell shell;
  shell.start(1, 10, {1});
  shell.pull(2);
  shell.locate(2, 10, {1});
  shell.refuse_buffer(2);
  CHECK_FALSE(shell.failed.contains(2));
  shell.deliver_all();
  CHECK(shell.reserving() == numbers{2});
}

TEST_CASE("shrinking memory takes space from the last, never from gets (AdmissionControl.Basic)") {
  pull_shell shell;
  shell.start(1, 20, {1}, argument);
  shell.start(2, 20, {1}, argument);
  shell.start(3, 20, {1}, get);
  shell.memory_tight(1'000);
  CHECK(shell.canceled.size() == 4);
  while (shell.asks.size() > 2)
    shell.lose();
  CHECK(shell.buffers == numbers{3});
  shell.deliver_all();
  CHECK(shell.arrived.at(3) == 1);
}

TEST_CASE("shrinking memory leaves one pull its buffer") {
  pull_shell shell;
  shell.start(1, 10, {1}, argument);
  shell.start(2, 10, {1}, argument);
  shell.memory_tight(1'000);
  CHECK(shell.canceled.size() == 1);
  shell.lose(1);
  CHECK(shell.buffers == numbers{1});
}

TEST_CASE("shrinking memory takes no space from any of several gets") {
  pull_shell shell;
  shell.start(1, 10, {1}, get);
  shell.start(2, 10, {1}, get);
  shell.memory_tight(1'000);
  CHECK(shell.canceled.empty());
}

TEST_CASE("shrinking memory takes no more than it needs") {
  pull_shell shell;
  for (std::uint64_t number : {1, 2, 3})
    shell.start(number, 10, {1}, argument);
  shell.memory_tight(10);
  CHECK(shell.canceled.size() == 1);
}

TEST_CASE("a get that finds no space takes it from arguments") {
  pull_shell shell;
  shell.start(1, 20, {1}, argument);
  shell.pull(2, get);
  shell.locate(2, 20, {1});
  shell.refuse_buffer(2);
  CHECK(shell.canceled.size() == 2);
  shell.lose();
  shell.lose();
  CHECK(shell.reservations.contains(2));
  CHECK_FALSE(shell.buffers.contains(1));
}

TEST_CASE("a get that finds no space takes none from gets that came later") {
  pull_shell shell;
  shell.pull(1, get);
  shell.start(2, 10, {1}, get);
  shell.locate(1, 10, {1});
  shell.refuse_buffer(1);
  CHECK(shell.canceled.empty());
}

TEST_CASE("a pull whose object is made again gives way to the next (PullObjectPendingCreation)") {
  pull_shell shell{narrow(1)};
  shell.start(1, 10, {1}, argument);
  shell.pull(2, argument);
  shell.locate(2, 10, {1});
  shell.news(1, {.sequence = 100, .size_bytes = 10, .readiness = object_readiness::pending});
  shell.lose();
  CHECK(shell.buffers.empty());
  CHECK(shell.reserving() == numbers{2});
  shell.grant(2);
  shell.deliver_all();
  shell.news(1, {.sequence = 101, .size_bytes = 10, .copies = pull_shell::copies_on({1})});
  CHECK(shell.reserving() == numbers{1});
}

TEST_CASE("a pull that has nobody to ask does not hold up the next") {
  pull_shell shell{narrow(1)};
  shell.start(1, 10, {1}, argument);
  shell.pull(2, argument);
  shell.locate(2, 10, {1});
  shell.refuse(refusal_reason::not_here);
  CHECK(shell.reserving() == numbers{2});
  CHECK(shell.buffers == numbers{1});
}

TEST_CASE("canceling an active pull admits the next (AdmissionControl.Cancel)") {
  pull_shell shell{narrow(1)};
  auto token = shell.pull(1, argument);
  shell.locate(1, 10, {1});
  shell.grant(1);
  shell.pull(2, argument);
  shell.locate(2, 10, {1});
  shell.cancel(token);
  shell.lose();
  CHECK(shell.reserving() == numbers{2});
}

TEST_CASE("canceling one that waits changes nothing for the others (AdmissionControl.Cancel)") {
  pull_shell shell{narrow(1)};
  shell.start(1, 10, {1}, argument);
  auto token = shell.pull(2, argument);
  shell.locate(2, 10, {1});
  shell.cancel(token);
  shell.deliver_all();
  CHECK(shell.reserving().empty());
  CHECK(shell.arrived.at(1) == 1);
}

TEST_CASE("pulls that wait have no buffer, and canceling frees it (PinActiveObjects)") {
  pull_shell shell{narrow(1)};
  shell.start(1, 10, {1}, argument);
  auto token = shell.pull(2, argument);
  shell.locate(2, 10, {1});
  CHECK(shell.table.stats().admitted_bytes == 10);
  shell.cancel(token);
  CHECK(shell.table.stats().objects == 1);
}

TEST_CASE("bytes asked for are limited over all objects, and the first in order goes on first") {
  pull_shell shell{pull_shell::small({.max_asked_bytes = 25})};
  shell.start(1, 100, {1}, argument);
  shell.start(2, 100, {1}, get);
  CHECK(shell.asks.size() == 2);
  shell.deliver();
  CHECK(shell.asks.back().range.id == object_number(2));
  CHECK(shell.table.stats().asked_bytes == 20);
}

TEST_CASE("one ask is always allowed, however small the limit") {
  pull_shell shell{pull_shell::small({.max_asked_bytes = 1})};
  shell.start(1, 30, {1});
  CHECK(shell.asks.size() == 1);
  shell.deliver_all();
  CHECK(shell.arrived.at(1) == 1);
}

TEST_CASE("a pull of what the store has ends without a report, and the next one has its turn") {
  pull_shell shell{narrow(1)};
  for (std::uint64_t number : {1, 2}) {
    shell.pull(number, wait);
    shell.locate(number, 10, {1});
  }
  REQUIRE(shell.reserving() == numbers{1});
  shell.find_whole(1);
  CHECK(shell.reserving() == numbers{2});
  CHECK(shell.table.stats().objects == 1);
  CHECK(shell.arrived.empty());
  CHECK(shell.failed.empty());
  CHECK(shell.running_timers.empty());
}

TEST_CASE("a pull that nobody wants any more may also hear that the store has its object") {
  pull_shell shell;
  auto token = shell.pull(1);
  shell.locate(1, 10, {1});
  shell.cancel(token);
  CHECK(shell.withdrawn == numbers{1});
  shell.find_whole(1);
  CHECK(shell.table.stats().objects == 0);
}

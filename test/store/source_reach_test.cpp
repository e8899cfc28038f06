// Data ports that cannot be reached: when that is believed, and for how long.

#include <optional>

#include <doctest/doctest.h>

#include "mobula/store/source_reach.hpp"
#include "numbered_ids.hpp"
#include "overloaded.hpp"

using namespace mobula;
using namespace mobula::test;

using enum connect_failure;

namespace {

/// Carries out the effects, with a clock that stands still.
struct reach_shell {
  source_reach table;
  std::optional<start_reach_timer> timer;
  int unreachable = 0;
  int reachable = 0;

  void fail(connect_failure why, std::uint64_t node = 1) {
    event([&](auto& out) { table.connect_failed(node_number(node), why, out); });
  }

  void fail_twice(connect_failure why) {
    fail(why);
    fail(why);
  }

  void connect() {
    event([&](auto& out) { table.connected(node_number(1), out); });
  }

  void forget() {
    event([&](auto& out) { table.forget(node_number(1), out); });
  }

  void fire(const reach_timer& fired) {
    timer.reset();
    event([&](auto& out) { table.timer_fired(fired, out); });
  }

  [[nodiscard]] bool usable() const {
    return !table.obstacle(node_number(1));
  }

  template <class Event>
  void event(Event run) {
    reach_effects effects;
    run(effects);
    for (const auto& effect : effects)
      std::visit(overloaded{
                   [&](const start_reach_timer& start) { timer = start; },
                   [&](const stop_reach_timer& stop) {
                     REQUIRE(timer->timer == stop.timer);
                     timer.reset();
                   },
                   [&](const report_unreachable&) { ++unreachable; },
                   [&](const report_reachable&) { ++reachable; },
                 },
                 effect);
  }
};

} // namespace

TEST_CASE_FIXTURE(reach_shell, "one connection that fails says nothing yet") {
  fail(silent);
  CHECK(usable());
  CHECK(unreachable == 0);
}

TEST_CASE_FIXTURE(reach_shell,
                  "a node whose connections fail again is left alone, and told of once") {
  fail_twice(silent);
  fail_twice(silent);
  CHECK(table.obstacle(node_number(1)) == silent);
  CHECK(unreachable == 1);
  CHECK(table.unreachable() == 1);
}

TEST_CASE_FIXTURE(reach_shell,
                  "connections that began before a node was left alone prolong nothing") {
  fail_twice(silent);
  auto first = *timer;
  fail_twice(refused);
  CHECK(timer->timer == first.timer);
  CHECK(table.obstacle(node_number(1)) == silent);
}

TEST_CASE_FIXTURE(reach_shell, "failures of other nodes do not count") {
  fail(silent, 1);
  fail(silent, 2);
  CHECK(usable());
}

TEST_CASE_FIXTURE(reach_shell, "failures count only in a row") {
  fail(silent);
  connect();
  fail(silent);
  CHECK(usable());
}

TEST_CASE_FIXTURE(reach_shell, "what costs more to find out is remembered for longer") {
  fail_twice(refused);
  auto brief = timer->delay_ms;
  forget();
  fail_twice(silent);
  CHECK(timer->delay_ms > brief);
}

TEST_CASE_FIXTURE(reach_shell, "after a while a node is tried again, and one failure is enough") {
  fail_twice(silent);
  auto first = *timer;
  fire(first.timer);
  CHECK(usable());
  fail(silent);
  CHECK(!usable());
  CHECK(timer->delay_ms == 2 * first.delay_ms);
  CHECK(unreachable == 1);
}

TEST_CASE_FIXTURE(reach_shell, "the while grows up to a limit") {
  fail_twice(silent);
  for (int tries = 0; tries < 20; ++tries) {
    fire(timer->timer);
    fail(silent);
  }
  CHECK(timer->delay_ms == reach_config{}.longest_ms);
}

TEST_CASE_FIXTURE(reach_shell, "a node that is reached is told of, and begins anew") {
  fail_twice(silent);
  fire(timer->timer);
  connect();
  CHECK(reachable == 1);
  CHECK(table.unreachable() == 0);
  fail(silent);
  CHECK(usable());
}

TEST_CASE_FIXTURE(reach_shell, "a node that is forgotten begins anew and leaves no timer") {
  fail_twice(silent);
  forget();
  CHECK(!timer);
  CHECK(usable());
  CHECK(table.unreachable() == 0);
  CHECK(reachable == 0);
}

TEST_CASE_FIXTURE(reach_shell, "an old timer does not end a rest that began later") {
  fail_twice(silent);
  auto old = timer->timer;
  forget();
  fail_twice(silent);
  event([&](auto& out) { table.timer_fired(old, out); });
  CHECK(!usable());
}

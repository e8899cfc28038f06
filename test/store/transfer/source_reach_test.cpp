// Data ports that cannot be reached: when that is believed, and for how long.

#include <chrono>
#include <optional>

#include <doctest/doctest.h>

#include "../numbered_ids.hpp"
#include "mobula/store/transfer/source_reach.hpp"

using namespace mobula;
using namespace mobula::test;

using namespace std::chrono_literals;
using enum connect_failure;

namespace {

/// Counts the reports, and has a clock that moves when it is told to.
struct reach_shell {
  source_reach table;
  source_reach::time_point now{1h};
  int unreachable = 0;
  int reachable = 0;
  std::optional<connect_failure> why; ///< of the last report

  void fail(connect_failure why, std::uint64_t node = 1) {
    event([&](auto& out) { table.connect_failed(node_number(node), why, now, out); });
  }

  void fail_twice(connect_failure why) {
    fail(why);
    fail(why);
  }

  void connect() {
    event([&](auto& out) { table.connected(node_number(1), out); });
  }

  [[nodiscard]] std::optional<connect_failure> obstacle() const {
    return table.obstacle(node_number(1), now);
  }

  /// Lets time pass until the node may be asked again, and returns how long that took.
  std::chrono::milliseconds wait() {
    auto begin = now;
    while (obstacle())
      now += 1s;
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - begin);
  }

  template <class Event>
  void event(Event run) {
    reach_effects effects;
    run(effects);
    for (const auto& effect : effects) {
      const auto* report = std::get_if<report_unreachable>(&effect);
      ++(report != nullptr ? unreachable : reachable);
      if (report != nullptr)
        why = report->why;
    }
  }
};

} // namespace

TEST_CASE_FIXTURE(reach_shell, "one connection that fails says nothing yet") {
  fail(silent);
  CHECK(!obstacle());
  CHECK(unreachable == 0);
}

TEST_CASE_FIXTURE(reach_shell, "a node whose connections fail is left alone, and told of once") {
  fail_twice(silent);
  CHECK(obstacle() == silent);
  wait();
  fail(silent);
  CHECK(unreachable == 1);
  CHECK(table.unreachable() == 1);
}

TEST_CASE_FIXTURE(reach_shell, "the last failure says why a node is left alone") {
  fail(refused);
  fail(silent);
  CHECK(why == silent);
  CHECK(obstacle() == silent);
  CHECK(wait() == 60s);
}

TEST_CASE_FIXTURE(reach_shell, "connections that began before prolong nothing") {
  fail_twice(silent);
  fail_twice(refused);
  CHECK(obstacle() == silent);
  CHECK(wait() == 60s);
}

TEST_CASE_FIXTURE(reach_shell, "failures of other nodes do not count") {
  fail(silent, 1);
  fail(silent, 2);
  CHECK(!obstacle());
}

TEST_CASE_FIXTURE(reach_shell, "failures count only in a row") {
  fail(silent);
  connect();
  CHECK(reachable == 0); // Nobody was told that it is not.
  fail(silent);
  CHECK(!obstacle());
}

TEST_CASE_FIXTURE(reach_shell, "what costs more to find out is remembered for longer") {
  fail_twice(refused);
  CHECK(wait() == 5s);
  table.forget(node_number(1));
  fail_twice(no_route);
  CHECK(wait() == 15s);
  table.forget(node_number(1));
  fail_twice(another_node);
  CHECK(wait() == 60s);
}

TEST_CASE_FIXTURE(reach_shell,
                  "a node that is tried again needs to fail once, and rests twice as long") {
  fail_twice(silent);
  wait();
  fail(silent);
  CHECK(wait() == 120s);
}

TEST_CASE_FIXTURE(reach_shell, "the rests grow up to a limit") {
  fail_twice(silent);
  for (int tries = 0; tries < 100; ++tries) {
    wait();
    fail(silent);
  }
  CHECK(wait() == 600s);
}

TEST_CASE_FIXTURE(reach_shell, "a node that is reached is told of, and begins anew") {
  fail_twice(silent);
  wait();
  connect();
  CHECK(reachable == 1);
  CHECK(table.unreachable() == 0);
  fail(silent);
  CHECK(!obstacle());
}

TEST_CASE_FIXTURE(reach_shell, "a node that is forgotten may be asked at once, and begins anew") {
  fail_twice(silent);
  table.forget(node_number(1));
  CHECK(!obstacle());
  CHECK(table.unreachable() == 0);
  CHECK(reachable == 0);
  fail_twice(silent);
  CHECK(wait() == 60s);
}

TEST_CASE_FIXTURE(reach_shell, "a node that is forgotten after one failure was not unreachable") {
  fail(silent);
  table.forget(node_number(1));
  CHECK(table.unreachable() == 0);
}

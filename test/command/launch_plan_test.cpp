// What `mobula launch` does when processes crash, end or do not start, and when it is told to stop;
// decided without processes.

#include <array>

#include <doctest/doctest.h>

#include "launch_plan.hpp"

using namespace mobula::command;
using namespace std::chrono_literals;

namespace {

constexpr process_end failed{.code = 3, .signal = 0};
constexpr process_end well{};

/// The effects without what users read.
launch_effects without_lines(const launch_effects& effects) {
  launch_effects result;
  for (const auto& each : effects)
    if (!std::holds_alternative<say_line>(each))
      result.push_back(each);
  return result;
}

launch_plan begun(launch_limits limits) {
  launch_plan result{limits};
  static_cast<void>(result.begin());
  return result;
}

} // namespace

TEST_CASE("the first node forms the cluster, and the others join it") {
  launch_plan plan{{.nodes = 3}};
  CHECK(plan.begin()
        == launch_effects{start_process{0, {}}, start_process{1, 0}, start_process{2, 0}});
  CHECK(!plan.done());
}

TEST_CASE("a node that crashes starts again after a while, through the first that runs") {
  auto plan = begun({.nodes = 3});
  CHECK(without_lines(plan.process_ended(0, failed, 1s)) == launch_effects{start_timer{0, 500ms}});
  CHECK(plan.timer_expired(0) == launch_effects{start_process{0, 1}});
  CHECK(without_lines(plan.process_ended(2, {.code = 0, .signal = 9}, 1s))
        == launch_effects{start_timer{2, 500ms}});
  CHECK(plan.timer_expired(2) == launch_effects{start_process{2, 0}});
}

TEST_CASE("a node that finds no other forms the cluster anew") {
  auto plan = begun({.nodes = 2});
  CHECK(plan.process_ended(0, failed, 1s).size() == 2);
  CHECK(plan.process_ended(1, failed, 1s).size() == 2);
  CHECK(plan.timer_expired(1) == launch_effects{start_process{1, {}}});
  CHECK(plan.timer_expired(0) == launch_effects{start_process{0, 1}});
}

TEST_CASE("each restart in a row waits twice as long, up to a limit") {
  auto plan = begun({.nodes = 1, .restarts = 9, .first_delay = 1s, .longest_delay = 5s});
  for (auto delay : {1s, 2s, 4s, 5s, 5s}) {
    CHECK(without_lines(plan.process_ended(0, failed, 1ms))
          == launch_effects{start_timer{0, delay}});
    CHECK(plan.timer_expired(0).size() == 1);
  }
}

TEST_CASE("a node that ran well for a while has all its restarts again") {
  auto plan = begun({.nodes = 1, .restarts = 1});
  for (auto round = 0; round < 3; ++round) {
    CHECK(without_lines(plan.process_ended(0, failed, 60s))
          == launch_effects{start_timer{0, 500ms}});
    CHECK(plan.timer_expired(0).size() == 1);
  }
  CHECK(without_lines(plan.process_ended(0, failed, 59s)).empty());
  CHECK(plan.done());
}

TEST_CASE("a node that crashes too often ends all, with its exit code") {
  auto plan = begun({.nodes = 2, .restarts = 0});
  CHECK(without_lines(plan.process_ended(1, failed, 1s))
        == launch_effects{ask_to_end{0}, start_timer{0, 10s}});
  CHECK(without_lines(plan.process_ended(0, {.code = 0, .signal = 15}, 1s)).empty());
  CHECK(plan.done());
  CHECK(plan.exit_code() == 3);
}

TEST_CASE("a node that ends well is not started again, and the others run on") {
  auto plan = begun({.nodes = 2});
  CHECK(without_lines(plan.process_ended(0, well, 1s)).empty());
  CHECK(!plan.done());
  CHECK(plan.timer_expired(0).empty());
  CHECK(without_lines(plan.process_ended(1, well, 1s)).empty());
  CHECK(plan.done());
  CHECK(plan.exit_code() == 0);
}

TEST_CASE("a node that somebody else asked to end is not started again, and all ended well") {
  // By SIGTERM, SIGINT and SIGHUP.
  const std::array<process_end, 4> ends{{{.code = 143, .signal = 0},
                                         {.code = 0, .signal = 15},
                                         {.code = 130, .signal = 0},
                                         {.code = 0, .signal = 1}}};
  auto plan = begun({.nodes = ends.size(), .restarts = 0});
  for (std::size_t node = 0; node < ends.size(); ++node) {
    CHECK(!plan.done());
    CHECK(without_lines(plan.process_ended(node, ends[node], 1s)).empty());
  }
  CHECK(plan.done());
  CHECK(plan.exit_code() == 0);
}

TEST_CASE("a stop ends one node after the other, the first last") {
  auto plan = begun({.nodes = 3, .stop_limit = 7s});
  CHECK(plan.stop_requested(15) == launch_effects{ask_to_end{2}, start_timer{2, 7s}});
  CHECK(without_lines(plan.process_ended(2, well, 1s))
        == launch_effects{ask_to_end{1}, start_timer{1, 7s}});
  CHECK(plan.timer_expired(2).empty());
  // Of itself, before its turn.
  CHECK(without_lines(plan.process_ended(0, failed, 1s)).empty());
  CHECK(without_lines(plan.process_ended(1, well, 1s)).empty());
  CHECK(plan.done());
  CHECK(plan.exit_code() == 143);
}

TEST_CASE("a stop does not wait for nodes that wait for their restart") {
  auto plan = begun({.nodes = 2});
  CHECK(plan.process_ended(1, failed, 1s).size() == 2);
  CHECK(plan.stop_requested(2) == launch_effects{ask_to_end{0}, start_timer{0, 10s}});
  CHECK(plan.timer_expired(1).empty());
  CHECK(plan.process_ended(0, well, 1s).size() == 1);
  CHECK(plan.done());
  CHECK(plan.exit_code() == 130);
}

TEST_CASE("a node that does not end in time is killed, and the next one asked") {
  auto plan = begun({.nodes = 2});
  CHECK(plan.stop_requested(15).size() == 2);
  CHECK(without_lines(plan.timer_expired(1)) == launch_effects{kill_process{1}});
  CHECK(plan.timer_expired(1).empty());
  CHECK(without_lines(plan.process_ended(1, {.code = 0, .signal = 9}, 1s))
        == launch_effects{ask_to_end{0}, start_timer{0, 10s}});
}

TEST_CASE("a second stop kills all that is left at once") {
  auto plan = begun({.nodes = 3});
  CHECK(plan.stop_requested(2).size() == 2);
  CHECK(plan.stop_requested(2)
        == launch_effects{kill_process{0}, kill_process{1}, kill_process{2}});
  CHECK(plan.stop_requested(2).empty());
  for (std::size_t node = 0; node < 3; ++node) {
    CHECK(!plan.done());
    CHECK(without_lines(plan.process_ended(node, {.code = 0, .signal = 9}, 1s)).empty());
  }
  CHECK(plan.done());
}

TEST_CASE("a stop after a node that crashed too often is the first request") {
  auto plan = begun({.nodes = 3, .restarts = 0});
  CHECK(without_lines(plan.process_ended(0, failed, 1s)).size() == 2);
  CHECK(plan.stop_requested(15).empty());
  CHECK(plan.stop_requested(15) == launch_effects{kill_process{1}, kill_process{2}});
}

TEST_CASE("a node that cannot be started again has crashed once more") {
  auto plan = begun({.nodes = 2, .restarts = 2});
  CHECK(plan.process_ended(1, failed, 1s).size() == 2);
  CHECK(plan.timer_expired(1) == launch_effects{start_process{1, 0}});
  CHECK(plan.start_failed(1, "no such program")
        == launch_effects{say_line{"node 1 did not start: no such program; it starts again in "
                                   "1000 ms, restart 2 of 2"},
                          start_timer{1, 1s}});
  CHECK(plan.timer_expired(1) == launch_effects{start_process{1, 0}});
  CHECK(without_lines(plan.start_failed(1, "no such program"))
        == launch_effects{ask_to_end{0}, start_timer{0, 10s}});
  CHECK(plan.process_ended(0, well, 1s).size() == 1);
  CHECK(plan.done());
  CHECK(plan.exit_code() == 127);
}

TEST_CASE("what users read names the node, its end and what follows") {
  auto asked = begun({.nodes = 1});
  CHECK(
    asked.process_ended(0, {.code = 143, .signal = 0}, 1s).front()
    == launch_effect{say_line{"node 0 ended with exit code 143: it was asked to, and stays away"}});
  auto plan = begun({.nodes = 1, .restarts = 1});
  CHECK(plan.process_ended(0, {.code = 0, .signal = 11}, 1s).front()
        == launch_effect{say_line{"node 0 ended with signal 11; it starts again in 500 ms, "
                                  "restart 1 of 1"}});
  CHECK(plan.timer_expired(0).size() == 1);
  CHECK(plan.process_ended(0, failed, 1s).front()
        == launch_effect{
          say_line{"node 0 ended with exit code 3, after 1 restart in a row; all others end too"}});
}

// Nodes that accept a connection and say nothing.

#include <chrono>

#include "member_fixtures.hpp"

using namespace mobula;
using namespace mobula::test;
using namespace std::chrono_literals;

namespace {

/// A node that dialed another, which says nothing.
struct unanswered_join : two_strangers {
  unanswered_join() {
    join(1, 1);
    end_dial(0);
    fire();
  }

  /// Fires the timer that runs.
  void fire() {
    effects.clear();
    auto timer = timers.begin()->second.second;
    timers.erase(timers.begin());
    nodes[1].table->timer_fired(timer, effects);
  }

  member_effects effects;
};

} // namespace

TEST_CASE_FIXTURE(unanswered_join, "a connection over which nobody answers is dropped") {
  REQUIRE(effects.size() >= 2);
  CHECK(std::holds_alternative<drop_link>(effects.front()));
}

TEST_CASE_FIXTURE(unanswered_join, "a join that nobody answered dials afresh, once") {
  auto timer = first_of<start_timer>(effects).timer;
  effects.clear();
  auto& table = *nodes[1].table;
  table.timer_fired(timer, effects);
  auto number = first_of<dial>(effects).number;
  effects.clear();
  table.dialed(number, link_id{90}, effects);
  auto patience = first_of<start_timer>(effects).timer;
  CHECK(std::holds_alternative<hello>(first_of<send_on_link>(effects).message));
  effects.clear();
  table.timer_fired(patience, effects);
  CHECK(first_of<report_join_failed>(effects).kind == dial_failure::silent);
}

TEST_CASE("a join whose dials end in silence fails as silent, not for good") {
  two_strangers world;
  world.join(1, 1);
  auto& table = *world.nodes[1].table;
  member_effects effects;
  table.dial_failed(world.dials.front().number, dial_failure::silent, "no answer", effects);
  auto timer = first_of<start_timer>(effects).timer;
  effects.clear();
  table.timer_fired(timer, effects);
  auto number = first_of<dial>(effects).number;
  effects.clear();
  table.dial_failed(number, dial_failure::silent, "no answer", effects);
  CHECK(first_of<report_join_failed>(effects).kind == dial_failure::silent);
  CHECK(first_of<report_join_failed>(effects).text == "no answer (tried 2 times)");
}

TEST_CASE("a node that accepts a dial and never answers fails the join") {
  two_strangers world;
  auto number = world.join(1, 1);
  world.end_dial(0);
  world.fire_timer();
  world.connections.clear(); // Both ends know of its loss, and CAF keeps it no more.
  world.fire_timer();        // It dials afresh.
  world.end_dial(0);
  world.fire_timer();
  CHECK(contains(world.nodes[1].joins.at(number), "did not answer within 5000 ms"));
  CHECK(world.now == 5s + 50ms + 5s);
  CHECK(world.nodes[1].links.empty());
}

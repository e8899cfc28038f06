// Nodes with several addresses: how long each is dialed, which one first, and what is said of a
// node that none of them leads to.

#include "mobula/actors/protocol/membership/member_table.hpp"

#include "member_fixtures.hpp"

using namespace mobula;
using namespace mobula::test;
using namespace std::chrono_literals;

namespace {

/// Three members, of which the first two lose each other and not the third.
struct members_apart : three_members {
  members_apart() {
    cut(1, 2);
  }

  /// Lets time pass until the two have been dialed often enough to be sure, and somewhat longer.
  void pass_time() {
    run();
    for (int timers_fired = 0; timers_fired < 30 && !timers.empty(); ++timers_fired) {
      fire_timer();
      run();
    }
  }
};

/// Fails the dial that `effects` begins, and leaves there what follows.
dial fail_dial(member_table& table, member_effects& effects, const std::string& text = "nobody") {
  auto attempt = first_of<dial>(effects);
  effects.clear();
  table.dial_failed(attempt.number, dial_failure::passing, text, effects);
  return attempt;
}

} // namespace

TEST_CASE("an only address is dialed as long as a handshake may take") {
  two_strangers world;
  member_effects effects;
  world.nodes[1].table->join(join_id{7}, member_world::at_port(1), effects);
  CHECK(first_of<dial>(effects).limit == member_config{}.handshake_timeout);
}

TEST_CASE("each of several addresses is dialed for a moment, and longer in each further round") {
  member_world world;
  world.wrong_addresses = {member_world::at_port(77)};
  world.start_cluster(3);
  auto& table = *world.nodes[0].table;
  member_effects effects;
  table.link_lost(table.connected().front()->link, departure::node_ended, effects);
  std::vector<std::chrono::nanoseconds> limits;
  for (int round = 0; round < 5; ++round) {
    for (int address = 0; address < 2; ++address)
      limits.push_back(fail_dial(table, effects).limit);
    auto timer = first_of<start_timer>(effects).timer;
    effects.clear();
    table.timer_fired(timer, effects);
  }
  CHECK(limits == std::vector<std::chrono::nanoseconds>{1s, 1s, 2s, 2s, 4s, 4s, 5s, 5s, 5s, 5s});
}

TEST_CASE("a lost node is dialed first where it was reached before") {
  member_world world;
  world.wrong_addresses = {member_world::at_port(77), member_world::at_port(78)};
  world.start_cluster(2);
  // The second node has joined through the first, at the address that it was given.
  auto& table = *world.nodes[1].table;
  member_effects effects;
  table.link_lost(table.connected().front()->link, departure::connection_lost, effects);
  auto timer = first_of<start_timer>(effects).timer;
  effects.clear();
  table.timer_fired(timer, effects);
  std::vector<endpoint> targets;
  for (int address = 0; address < 3; ++address)
    targets.push_back(fail_dial(table, effects).target);
  CHECK(
    targets
    == std::vector{member_world::at_port(1), member_world::at_port(77), member_world::at_port(78)});
}

TEST_CASE_FIXTURE(members_apart, "two members that cannot reach each other say so, each once") {
  pass_time();
  REQUIRE(connected(0, 2));
  REQUIRE(connected(1, 2));
  for (std::size_t index : {0, 1}) {
    REQUIRE(nodes[index].unreachable.size() == 1);
    const auto& text = nodes[index].unreachable.front();
    CHECK(contains(text, to_string(incarnation_number(101 - index))));
    CHECK(contains(text, "which other members are connected to (1): nobody listens at host:"));
    CHECK(contains(text, "mobula.advertise"));
    auto unreachable = nodes[index].table->unreachable();
    REQUIRE(unreachable.size() == 1);
    CHECK(unreachable.front()->record.incarnation == incarnation_number(101 - index));
    CHECK(contains(unreachable.front()->obstacle, "nobody listens at host:"));
  }
  CHECK(nodes[2].unreachable.empty());
}

TEST_CASE_FIXTURE(members_apart, "members that reach each other again have nothing to say of it") {
  pass_time();
  heal(1, 2);
  settle();
  CHECK(complete({0, 1, 2}));
  CHECK(nodes[0].table->unreachable().empty());
  CHECK(nodes[1].table->unreachable().empty());
}

TEST_CASE_FIXTURE(members_apart, "members that part once more say so once more") {
  pass_time();
  heal(1, 2);
  settle();
  cut(1, 2);
  pass_time();
  CHECK(nodes[0].unreachable.size() == 2);
}

TEST_CASE("a member that has died is not said to be out of reach") {
  three_members world;
  world.crash(2);
  world.settle();
  for (std::size_t index : {0, 1}) {
    CHECK(world.nodes[index].unreachable.empty());
    CHECK(world.nodes[index].table->unreachable().empty());
  }
}

TEST_CASE("what is said of a node out of reach names the failures at all its addresses") {
  member_world world;
  world.wrong_addresses = {member_world::at_port(77)};
  world.start_cluster(3);
  world.cut(1, 2);
  world.run();
  for (int timers_fired = 0; timers_fired < 30; ++timers_fired) {
    world.fire_timer();
    world.run();
  }
  REQUIRE(world.nodes[0].unreachable.size() == 1);
  CHECK(contains(world.nodes[0].unreachable.front(), "host:77; nobody listens at host:2"));
}

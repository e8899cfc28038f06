// What a node does that knows as many others as it may: who is turned away, and who gives way.

#include <algorithm>
#include <set>

#include "mobula/actors/protocol/membership/member_table.hpp"

#include "member_fixtures.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

/// Node 0 may know two others: nodes 1 and 2, which it is connected to. Node 3 comes last.
struct full_node : member_world {
  full_node() {
    start(100, 1, ours, 2);
    for (std::uint16_t port = 2; port <= 4; ++port)
      start(99U + port, port);
    join(1, 1);
    join(2, 1);
    settle();
  }

  /// Kills a member and returns once node 0 has dialed it in vain so often.
  void lose(std::size_t index, std::ptrdiff_t rounds) {
    crash(index);
    run();
    for (std::ptrdiff_t done = 0; done < rounds;) {
      REQUIRE_FALSE(timers.empty());
      fire_timer();
      done += std::ranges::count_if(dials, [&](const auto& attempt) {
        return attempt.node == 0 && attempt.target.port == nodes[index].port;
      });
      run();
    }
  }

  /// Until the next timer has fired.
  void pass_time() {
    REQUIRE_FALSE(timers.empty());
    fire_timer();
    run();
  }

  /// Returns how a join through a node ends.
  std::string join_result(std::size_t index, std::uint16_t port) {
    auto number = join(index, port);
    run();
    return nodes[index].joins.at(number);
  }

  /// Runs to the end and returns the ports that node 0 dialed meanwhile.
  std::set<std::uint16_t> sought_until_the_end() {
    std::set<std::uint16_t> result;
    for (int round = 0; !timers.empty(); ++round) {
      REQUIRE(round < 10'000);
      fire_timer();
      for (const auto& attempt : dials)
        if (attempt.node == 0)
          result.insert(attempt.target.port);
      run();
    }
    return result;
  }
};

} // namespace

TEST_CASE("a node that knows as many as it may takes a member back that it lost") {
  member_world world;
  for (std::uint16_t port = 1; port <= 2; ++port)
    world.start(100 + port, port, ours, 1);
  world.join(1, 1);
  world.settle();
  world.cut(1, 2);
  world.run();
  world.heal(1, 2);
  world.settle();
  CHECK(world.complete({0, 1}));
}

TEST_CASE("a node that knows as many as it may cannot join one more") {
  member_world world;
  for (std::uint16_t port = 1; port <= 3; ++port)
    world.start(100 + port, port, ours, port == 2 ? 1 : 512);
  world.join(1, 1);
  world.settle();
  world.cut(1, 3);
  auto number = world.join(1, 3);
  world.settle();
  CHECK(world.nodes[1].joins.at(number)
        == "this node knows 1 other node already, which is the most");
  CHECK(world.complete({0, 1}));
  CHECK(world.complete({2}));
}

TEST_CASE("of more nodes than a node may know it seeks only as many as it may") {
  member_world world;
  world.start_cluster(4);
  world.start(50, 9, ours, 2);
  auto number = world.join(4, 1);
  world.run();
  CHECK(world.nodes[4].joins.at(number) == "");
  CHECK(world.nodes[4].table->known() == 2);
  CHECK(world.nodes[4].members.size() == 2);
}

TEST_CASE("a newcomer takes the place of a node that is lost") {
  full_node world;
  world.lose(1, 1);
  CHECK(world.join_result(3, 1) == "");
  world.settle();
  CHECK(world.complete({0, 2, 3}));
}

TEST_CASE("of several nodes that are lost, the one that was dialed most often gives way") {
  full_node world;
  world.lose(1, 4);
  world.lose(2, 1);
  REQUIRE(world.nodes[0].table->known() == 2);
  CHECK(world.join_result(3, 1) == "");
  CHECK(world.sought_until_the_end() == std::set<std::uint16_t>{3});
  CHECK(world.complete({0, 3}));
}

TEST_CASE("a node that another member is connected to gives way to nobody") {
  full_node world;
  world.cut(1, 3);
  world.run();
  REQUIRE(world.nodes[0].table->connected().size() == 1);
  CHECK(contains(world.join_result(3, 1), "knows 2 other nodes already, which is the most"));
  world.heal(1, 3);
  world.settle();
  CHECK(world.complete({0, 1, 2}));
}

TEST_CASE("a node that is heard of takes the place of one that is lost, and is sought") {
  full_node world;
  world.lose(1, 1);
  world.cut(1, 4);
  CHECK(world.join_result(3, 3) == "");
  auto newcomer = world.nodes[3].table->self().incarnation;
  CHECK(world.nodes[0].table->is_vouched_for(newcomer));
  world.heal(1, 4);
  world.settle();
  CHECK(world.complete({0, 2, 3}));
}

TEST_CASE("a member that gave way comes back when there is room, as long as it looks for it") {
  full_node world;
  world.lose(2, member_config{}.max_lost_rounds);
  REQUIRE(world.nodes[0].table->known() == 1);
  world.cut(1, 2);
  world.run();
  auto last = world.start(110, 5);
  CHECK(world.join_result(3, 1) == "");
  CHECK(world.join_result(last, 1) == "");
  REQUIRE(world.nodes[0].table->connected().size() == 2);
  world.heal(1, 2);
  // It is refused, and goes on.
  while (world.nodes[0].refusals.empty())
    world.pass_time();
  world.leave(last);
  world.settle();
  CHECK(world.complete({0, 1, 3}));
}

TEST_CASE("whoever news vouch for gives way to nobody else in them") {
  full_node world;
  // Both are lost, and the first will be there for longer.
  world.lose(2, 4);
  world.lose(1, 1);
  auto stranger_of_old = world.nodes[1].table->self().incarnation;
  auto newcomer = member_world::incarnation_number(1);
  REQUIRE(newcomer < stranger_of_old);
  CHECK(world.join_result(3, 1) == "");
  auto& table = *world.nodes[0].table;
  REQUIRE(table.known() == 2);
  member_effects effects;
  const auto* voucher = table.connected().front();
  table.received(voucher->link,
                 members_changed{voucher->session,
                                 {{newcomer, {member_world::at_port(9)}},
                                  {stranger_of_old, {member_world::at_port(2)}}},
                                 {}},
                 effects);
  CHECK(table.is_vouched_for(stranger_of_old));
  CHECK_FALSE(table.is_vouched_for(newcomer));
  table.check_invariants();
}

TEST_CASE("members that come and die one after another are all let in") {
  member_world world;
  world.start(100, 1, ours, 2);
  for (std::uint16_t round = 1; round <= 100; ++round) {
    CAPTURE(round);
    auto guest = world.start(100U + round, static_cast<std::uint16_t>(1 + round));
    auto number = world.join(guest, 1);
    world.run();
    REQUIRE(world.nodes[guest].joins.at(number) == "");
    world.crash(guest);
    world.run();
  }
  world.settle();
  CHECK(world.complete({0}));
}

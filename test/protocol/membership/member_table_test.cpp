// How nodes join each other; how members part is in member_loss_test.cpp.

#include "mobula/actors/protocol/membership/member_table.hpp"

#include "member_fixtures.hpp"

using namespace mobula;
using namespace mobula::test;
using namespace std::chrono_literals;

// -- joining --------------------------------------------------------------------------------------

TEST_CASE("a node that joins and the member it dialed have one session with one number") {
  two_strangers world;
  CHECK(world.join_result() == "");
  CHECK(world.complete({0, 1}));
}

TEST_CASE("a node that joins through one member is connected to all") {
  three_members world;
  world.start(50, 9);
  world.join(3, 2);
  world.settle();
  CHECK(world.complete({0, 1, 2, 3}));
}

TEST_CASE("two clusters become one when a member of one joins through a member of the other") {
  three_members world;
  for (std::uint16_t port = 4; port <= 6; ++port)
    world.start(200 + port, port);
  world.join(4, 4);
  world.join(5, 4);
  world.settle();
  world.join(5, 2);
  world.settle();
  CHECK(world.complete({0, 1, 2, 3, 4, 5}));
}

TEST_CASE("joining twice is joining once") {
  three_members world;
  auto before = world.nodes[2].members;
  auto again = world.join(2, 1);
  world.settle();
  CHECK(world.nodes[2].joins.at(again) == "");
  CHECK(world.nodes[2].members == before);
}

TEST_CASE("joining twice over two links keeps the first session") {
  two_members world{dialing::adds_links};
  auto before = world.nodes[1].members;
  auto again = world.join(1, 1);
  world.settle();
  CHECK(world.nodes[1].joins.at(again) == "");
  CHECK(world.nodes[1].members == before);
  CHECK(world.complete({0, 1}));
}

TEST_CASE("two nodes that join each other at once have one session") {
  member_world world{dialing::adds_links};
  world.start(100, 1);
  world.start(101, 2);
  auto forth = world.join(0, 2);
  auto back = world.join(1, 1);
  world.settle();
  CHECK(world.complete({0, 1}));
  CHECK(world.nodes[0].joins.at(forth) == "");
  CHECK(world.nodes[1].joins.at(back) == "");
}

TEST_CASE("of two nodes that hear of each other the smaller incarnation dials at once") {
  two_members world;
  world.start(102, 3);
  world.join(2, 2);
  world.dialed.clear();
  world.deliver_all();
  world.run();
  CHECK(world.connected(0, 2));
  CHECK(world.dialed == std::vector{std::pair{world.now, std::size_t{0}}});
}

TEST_CASE("all addresses of a node are tried before it is waited for") {
  member_world world;
  world.wrong_addresses = {member_world::at_port(77), member_world::at_port(78)};
  world.start_cluster(2);
  world.start(102, 3);
  world.join(2, 2);
  world.run();
  CHECK(world.complete({0, 1, 2}));
  world.dialed.clear();
  world.crash(2);
  world.settle();
  CHECK(world.dialed.size() == 2 * 3 * member_config{}.max_lost_rounds);
}

TEST_CASE("a node that is to be dialed and comes first by itself is not dialed") {
  two_members world;
  for (std::size_t dials = 0; dials < member_config{}.max_dials; ++dials)
    world.join(0, 7);
  world.start(102, 3);
  world.join(2, 2);
  world.end_dial(world.dials.size() - 1);
  world.deliver_all();
  world.fire_timer();
  world.end_dial(world.dials.size() - 1);
  world.deliver_all();
  CHECK(world.connected(0, 2));
  CHECK(world.first_dial_by(2) < world.now);
}

TEST_CASE("those that are to be dialed are dialed in the order in which they came") {
  two_strangers world;
  auto dials = static_cast<std::uint16_t>(member_config{}.max_dials);
  for (std::uint16_t port = 10; port < 12 + dials; ++port)
    world.join(1, port);
  for (std::uint16_t ended = 0; ended < 2; ++ended) {
    world.end_dial(0);
    CHECK(world.dials.back().target.port == 10 + dials + ended);
  }
}

TEST_CASE("a node that is joined tells of its members") {
  two_members world;
  world.start(102, 3);
  world.cut(1, 3);
  world.join(2, 2);
  world.run();
  CHECK(world.nodes[2].table->is_vouched_for(world.incarnation_number(100)));
}

TEST_CASE("a member counts the sessions it had with another upwards") {
  three_members world;
  auto before = world.nodes[0].members.begin()->second;
  world.cut(1, 2);
  world.run();
  world.heal(1, 2);
  world.settle();
  CHECK(world.nodes[0].members.begin()->second > before);
}

// -- refusals -------------------------------------------------------------------------------------

TEST_CASE("joins that ended leave no timer") {
  three_members world;
  CHECK(world.running_timers.empty());
  world.start(50, 9);
  world.join(3, 2);
  world.join(3, 8); // Nobody is there.
  world.settle();
  CHECK(world.running_timers.empty());
}

TEST_CASE("a node that leaves stops its timers") {
  two_strangers world;
  world.cut(1, 2);
  world.join(1, 1);
  world.leave(1);
  CHECK(world.running_timers.empty());
}

TEST_CASE("joining oneself is refused at once, with the address") {
  two_strangers world;
  CHECK(contains(world.join_result(2), "host:2 is this node itself"));
  CHECK(world.now.count() == 0);
}

TEST_CASE("joining oneself names the address that was given, not another of this node's") {
  member_world world;
  world.wrong_addresses = {member_world::at_port(77)};
  world.start(100, 1);
  auto number = world.join(0, 1);
  world.settle();
  CHECK(contains(world.nodes[0].joins.at(number), "host:1 is this node itself"));
}

TEST_CASE("a join that was tried several times tells of its last failure") {
  two_strangers world;
  world.join(1, 7);
  world.run();
  world.fire_timer();
  member_effects effects;
  auto number = world.dials.front().number;
  world.nodes[1].table->dial_failed(number, dial_failure::lasting, "no such host", effects);
  CHECK(first_of<report_join_failed>(effects).text == "no such host (tried 2 times)");
}

TEST_CASE("a join where nobody listens is tried again, and then says how often") {
  two_strangers world;
  CHECK(world.join_result(7) == "nobody listens at host:7 (tried 8 times)");
  CHECK(world.now == std::chrono::milliseconds{50 * 127});
}

TEST_CASE("a node that starts a little later than those that join it is found") {
  two_strangers world;
  auto number = world.join(1, 3);
  world.run();
  world.start(102, 3);
  world.settle();
  CHECK(world.nodes[1].joins.at(number) == "");
  CHECK(world.complete({1, 2}));
}

TEST_CASE("an address that cannot be right is not tried again") {
  two_strangers world;
  world.join(1, 7);
  member_effects effects;
  auto number = world.dials.front().number;
  world.nodes[1].table->dial_failed(number, dial_failure::lasting, "no such host", effects);
  REQUIRE(effects.size() == 1);
  CHECK(std::get<report_join_failed>(effects.front()).text == "no such host");
}

TEST_CASE("a node of another cluster is refused, and told both names") {
  two_strangers world;
  world.start(102, 3, {"other", 1, "1"});
  auto text = world.join_result(3);
  CHECK(contains(text, R"(belongs to the cluster "other", the joining node to "c")"));
  CHECK(contains(text, "mobula.cluster"));
  CHECK(world.nodes[2].refusals == std::vector{join_refusal::wrong_cluster});
}

TEST_CASE("a node that speaks another version of the protocol is refused") {
  two_strangers world;
  world.start(102, 3, {"c", 2, "1"});
  CHECK(contains(world.join_result(3), "version 2 of the protocol, the joining node version 1"));
}

TEST_CASE("a node with another version of the library is refused") {
  two_strangers world;
  world.start(102, 3, {"c", 1, "9"});
  CHECK(contains(world.join_result(3), "runs Mobula 9, the joining node 1"));
}

TEST_CASE("a second node with a member's incarnation is refused, and the first one stays") {
  three_members world;
  world.start(102, 9);
  auto number = world.join(3, 1);
  world.settle();
  CHECK(contains(world.nodes[3].joins.at(number), "another node with the incarnation"));
  CHECK(world.complete({0, 1, 2}));
}

TEST_CASE("a node with the incarnation of the node that it dials is refused") {
  two_strangers world;
  world.start(101, 3);
  CHECK(contains(world.join_result(3), "mobula.seed"));
}

TEST_CASE("a node that knows as many as it may refuses one more") {
  member_world world;
  for (std::uint16_t port = 1; port <= 3; ++port)
    world.start(100 + port, port, {"c", 1, "1"}, 1);
  world.join(1, 1);
  world.settle();
  auto number = world.join(2, 1);
  world.settle();
  CHECK(contains(world.nodes[2].joins.at(number), "which is the most"));
}

TEST_CASE("a node without an incarnation is refused") {
  two_strangers world;
  member_effects effects;
  auto record = world.nodes[1].table->self();
  record.incarnation = {};
  world.nodes[0].table->received(link_id{90}, hello{.speaks = {"c", 1, "1"}, .record = record},
                                 effects);
  REQUIRE(!effects.empty());
  CHECK(std::get<report_refused>(effects.front()).reason == join_refusal::malformed);
}

TEST_CASE("two joins that share a link share its handshake") {
  two_strangers world;
  auto first = world.join(1, 1);
  auto second = world.join(1, 1);
  world.end_dial(0);
  world.end_dial(0);
  CHECK(world.sent_messages == 1);
  world.settle();
  CHECK(world.nodes[1].joins.at(first) == "");
  CHECK(world.nodes[1].joins.at(second) == "");
}

TEST_CASE("a link on which another handshake is under way does not end with the first") {
  two_strangers world;
  auto first = world.join(1, 1);
  auto second = world.join(1, 1);
  world.end_dial(0);
  world.end_dial(0);
  world.fire_timer();
  CHECK(world.nodes[1].links.size() == 1);
  world.run();
  CHECK(world.nodes[1].joins.at(second) == "");
  world.settle();
  CHECK(world.nodes[1].joins.at(first) == "");
}

TEST_CASE("more joins at once than the table has room for fail") {
  two_strangers world;
  for (int i = 0; i < 64; ++i)
    world.join(1, 7);
  auto number = world.join(1, 7);
  CHECK(contains(world.nodes[1].joins.at(number), "64 joins are under way"));
}

TEST_CASE("a join whose connection is lost during the handshake dials again") {
  two_strangers world;
  auto number = world.join(1, 1);
  world.end_dial(0);
  world.cut(1, 2);
  world.run();
  world.heal(1, 2);
  world.fire_timer();
  world.run();
  CHECK(world.nodes[1].joins.at(number) == "");
  CHECK(world.now == 50ms);
}

TEST_CASE("a welcome that comes after the join has failed makes a member all the same") {
  two_strangers world;
  world.join(1, 1);
  world.end_dial(0);
  world.fire_timer();
  world.settle();
  CHECK(world.complete({0, 1}));
}

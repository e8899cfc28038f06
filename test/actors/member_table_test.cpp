#include "mobula/actors/member_table.hpp"

#include "member_world.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

/// Two nodes at ports 1 and 2 that have not met.
struct two_strangers : member_world {
  two_strangers() {
    start(100, 1);
    start(101, 2);
  }

  /// How a join of the second node through the first ends.
  std::string join_result(std::uint16_t port = 1) {
    auto number = join(1, port);
    settle();
    return nodes[1].joins.at(number);
  }
};

struct three_members : member_world {
  three_members() {
    start_cluster(3);
  }
};

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace

// -- joining
// ----------------------------------------------------------------------------------------

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
  member_world world{dialing::adds_links};
  world.start_cluster(2);
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

TEST_CASE("a member counts the sessions it had with another upwards") {
  three_members world;
  auto before = world.nodes[0].members.begin()->second;
  world.cut(1, 2);
  world.run();
  world.heal(1, 2);
  world.settle();
  CHECK(world.nodes[0].members.begin()->second > before);
}

// -- refusals
// ---------------------------------------------------------------------------------------

TEST_CASE("joining oneself is refused at once, with the address") {
  two_strangers world;
  CHECK(contains(world.join_result(2), "host:2 is this node itself"));
  CHECK(world.now.count() == 0);
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

TEST_CASE("more joins at once than the table has room for fail") {
  two_strangers world;
  for (int i = 0; i < 64; ++i)
    world.join(1, 7);
  auto number = world.join(1, 7);
  CHECK(contains(world.nodes[1].joins.at(number), "64 joins are under way"));
}

TEST_CASE("a node that accepts a dial and never answers fails the join") {
  two_strangers world;
  auto number = world.join(1, 1);
  world.end_dial(0);
  world.fire_timer();
  CHECK(contains(world.nodes[1].joins.at(number), "did not answer within 5000 ms"));
}

TEST_CASE("a welcome that comes after the join has failed makes a member all the same") {
  two_strangers world;
  world.join(1, 1);
  world.end_dial(0);
  world.fire_timer();
  world.settle();
  CHECK(world.complete({0, 1}));
}

// -- leaving
// ----------------------------------------------------------------------------------------

TEST_CASE("a member that leaves is gone at all others, which do not dial it again") {
  three_members world;
  world.leave(1);
  world.settle();
  CHECK(world.complete({0, 2}));
  CHECK(world.nodes[0].departures == std::vector{departure::left});
  CHECK(world.dials.empty());
}

TEST_CASE("a node that has left refuses to join again") {
  three_members world;
  world.leave(1);
  auto number = world.join(1, 1);
  CHECK(contains(world.nodes[1].joins.at(number), "has left its cluster"));
}

TEST_CASE("joins under way fail when their node leaves") {
  two_strangers world;
  auto number = world.join(1, 7);
  world.leave(1);
  CHECK(contains(world.nodes[1].joins.at(number), "before it had joined"));
}

// -- losses
// -----------------------------------------------------------------------------------------

TEST_CASE("a member that crashes is gone at all others, which soon stop dialing it") {
  three_members world;
  world.crash(1);
  world.run();
  CHECK(world.nodes[0].members.size() == 1);
  CHECK(world.nodes[0].departures == std::vector{departure::connection_lost});
  world.settle();
  CHECK(world.complete({0, 2}));
  CHECK(world.now < std::chrono::minutes{5});
}

TEST_CASE("a restarted node is a new member, found at its old address by those that lost it") {
  three_members world;
  world.crash(1);
  world.run();
  world.start(500, 2);
  world.settle();
  CHECK(world.complete({0, 2, 3}));
}

TEST_CASE("two members that lose each other find each other again in a new session") {
  member_world world;
  world.start_cluster(2);
  auto before = world.nodes[0].members;
  world.cut(1, 2);
  world.run();
  CHECK(world.nodes[0].members.empty());
  world.heal(1, 2);
  world.settle();
  CHECK(world.complete({0, 1}));
  CHECK(world.nodes[0].members != before);
}

TEST_CASE("two members that a cut keeps apart for long are tried while a third sees both") {
  three_members world;
  world.cut(1, 2);
  world.run();
  while (world.now < std::chrono::hours{1}) {
    REQUIRE(!world.timers.empty());
    world.fire_timer();
    world.run();
  }
  world.heal(1, 2);
  world.settle();
  CHECK(world.complete({0, 1, 2}));
}

TEST_CASE("two members that nobody else sees give each other up") {
  member_world world;
  world.start_cluster(2);
  world.cut(1, 2);
  world.settle();
  CHECK(world.complete({0}));
  CHECK(world.complete({1}));
}

TEST_CASE("a member whose membership ended is not dialed again") {
  three_members world;
  member_effects effects;
  auto& table = *world.nodes[0].table;
  auto link = table.connected().front()->link;
  table.link_lost(link, departure::node_ended, effects);
  CHECK(std::get<report_member_left>(effects.front()).why == departure::node_ended);
  // The other member still vouches for it.
  CHECK(table.known() == 2);
  CHECK(table.is_vouched_for(world.incarnation_number(101)));
}

TEST_CASE("nobody vouches for a node that all have lost, though it is dialed for some time") {
  three_members world;
  auto lost = world.incarnation_number(102);
  auto& table = *world.nodes[0].table;
  CHECK(table.is_vouched_for(lost));
  world.crash(2);
  world.run();
  CHECK(table.known() == 2);
  CHECK_FALSE(table.is_vouched_for(lost));
}

TEST_CASE("what is said in a session that is over changes nothing, and is answered so") {
  three_members world;
  member_effects effects;
  auto& table = *world.nodes[0].table;
  auto link = table.connected().front()->link;
  auto old = session_id{static_cast<std::uint64_t>(table.connected().front()->session) - 1};
  table.received(link, leave_cluster{old}, effects);
  CHECK(effects.empty());
  table.received(link, members_changed{old, {}, {world.incarnation_number(102)}}, effects);
  REQUIRE(effects.size() == 1);
  const auto& answer = std::get<send_on_link>(effects.front()).message;
  CHECK(std::get<session_over>(answer).session == old);
}

// CAF may give a new connection's messages the sender of a lost one. The node that speaks dials
// again when nobody answers.
TEST_CASE("a handshake that seems to come from another member's link changes nothing") {
  three_members world;
  member_effects effects;
  auto& table = *world.nodes[0].table;
  auto link = table.connected().front()->link;
  auto stranger = world.nodes[2].table->self();
  stranger.incarnation = world.incarnation_number(200);
  table.received(link, hello{.speaks = {}, .record = stranger, .proposal = session_id{90}},
                 effects);
  table.received(link, welcome{stranger, session_id{91}, {}}, effects);
  CHECK(effects.empty());
  CHECK(table.find_connected(stranger.incarnation) == nullptr);
  table.check_invariants();
}

TEST_CASE("a node that comes costs each member one message to each other member") {
  member_world world;
  world.start_cluster(20);
  auto before = world.sent_messages;
  world.start(50, 90);
  world.join(20, 5);
  world.settle();
  // 20 handshakes of three messages, and 20 + 20 times up to 20 hints.
  CHECK(world.sent_messages - before <= 20 * 3 + 2 * 20 * 20);
  CHECK(world.sent_messages - before >= 20 * 19);
}

TEST_CASE("a welcome that arrives after its sender has left makes no member for long") {
  member_world world{dialing::adds_links};
  world.start(100, 1);
  world.start(101, 2);
  // Two dials over two links; the first link is slow.
  world.join(1, 1);
  world.end_dial(0);
  world.deliver(0, 1);
  world.join(1, 1);
  world.end_dial(0);
  world.deliver(1, 1);
  world.deliver(1, 0);
  world.deliver(1, 1);
  world.deliver(1, 0);
  world.leave(0);
  world.deliver(1, 0);
  REQUIRE(world.nodes[1].members.empty());
  world.settle();
  CHECK(world.complete({1}));
}

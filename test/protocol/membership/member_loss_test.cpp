// How members leave, are lost, and find each other again.

#include "mobula/actors/protocol/membership/member_table.hpp"

#include "member_fixtures.hpp"

using namespace mobula;
using namespace mobula::test;
using namespace std::chrono_literals;

// -- leaving --------------------------------------------------------------------------------------

TEST_CASE("a member that leaves is gone at all others, which do not dial it again") {
  three_members world;
  world.leave(1);
  world.settle();
  CHECK(world.complete({0, 2}));
  CHECK(world.nodes[0].departures == std::vector{departure::left});
  CHECK(world.dials.empty());
}

TEST_CASE("a node that leaves has no members any more, and reports that they parted") {
  three_members world;
  world.leave(1);
  CHECK(world.nodes[1].members.empty());
  CHECK(world.nodes[1].departures == std::vector{departure::left, departure::left});
}

TEST_CASE("a node that has left refuses to join again") {
  three_members world;
  world.leave(1);
  auto number = world.join(1, 1);
  CHECK(contains(world.nodes[1].joins.at(number), "has left its cluster"));
}

TEST_CASE("a node that leaves during a handshake has no use for its link, and waits for nothing") {
  two_strangers world;
  world.join(1, 1);
  world.end_dial(0);
  world.leave(1);
  CHECK(world.nodes[1].links.empty());
  world.settle();
  CHECK(world.complete({0}));
}

TEST_CASE("a node may leave while it is to dial more than it may dial at once") {
  two_strangers world;
  for (std::size_t joins = 0; joins < 2 * member_config{}.max_dials; ++joins)
    world.join(1, 7);
  world.leave(1);
  world.settle();
  CHECK(world.nodes[1].open_joins.empty());
  CHECK(world.nodes[1].table->contacts() == 0);
}

TEST_CASE("what is said to a node that has left is answered by its leaving") {
  three_members world;
  auto& table = *world.nodes[0].table;
  auto link = table.connected().front()->link;
  world.leave(0);
  member_effects effects;
  table.received(link, members_changed{session_id{1}, {}, {}}, effects);
  REQUIRE(!effects.empty());
  const auto& answer = std::get<send_on_link>(effects.front()).message;
  CHECK(std::get<leave_cluster>(answer).session == session_id{1});
}

TEST_CASE("a member that was lost and found again is not dialed when it leaves") {
  two_members world;
  world.cut(1, 2);
  world.run();
  world.heal(1, 2);
  world.settle();
  world.dialed.clear();
  world.leave(1);
  world.settle();
  CHECK(world.complete({0}));
  CHECK(world.dialed.empty());
}

TEST_CASE("a member that only another saw is forgotten when that one leaves") {
  three_members world;
  world.cut(1, 2);
  world.run();
  while (world.now < 10min) {
    world.fire_timer();
    world.run();
  }
  world.leave(2);
  world.run();
  CHECK(world.nodes[0].table->known() == 0);
  CHECK(world.nodes[0].table->contacts() == 0);
}

TEST_CASE("all members that only another saw are forgotten when that one leaves") {
  member_world world;
  world.start_cluster(4);
  world.cut(1, 2);
  world.cut(1, 3);
  for (world.run(); world.now < 10min; world.run())
    world.fire_timer();
  world.leave(3);
  world.run();
  CHECK(world.nodes[0].table->known() == 0);
}

TEST_CASE("joins under way fail when their node leaves") {
  two_strangers world;
  auto number = world.join(1, 7);
  world.leave(1);
  CHECK(contains(world.nodes[1].joins.at(number), "before it had joined"));
}

// -- losses ---------------------------------------------------------------------------------------

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
  two_members world;
  auto before = world.nodes[0].members;
  world.cut(1, 2);
  world.run();
  CHECK(world.nodes[0].members.empty());
  world.heal(1, 2);
  world.settle();
  CHECK(world.complete({0, 1}));
  CHECK(world.nodes[0].members != before);
}

TEST_CASE("of two members that lose each other the smaller incarnation dials first") {
  two_members world;
  auto lost_at = world.now;
  world.dialed.clear();
  world.cut(1, 2);
  world.settle();
  CHECK(world.first_dial_by(0) == lost_at + 50ms);
  CHECK(world.first_dial_by(1) == lost_at + 1'050ms);
}

TEST_CASE("a member that is lost for good is dialed as often as it may be, and no more") {
  two_members world;
  world.dialed.clear();
  world.crash(1);
  world.settle();
  CHECK(world.dialed.size() == member_config{}.max_lost_rounds);
}

TEST_CASE("a lost member whose address turns this node away is given up at once") {
  two_members world;
  world.dialed.clear();
  world.crash(1);
  world.start(500, 2, {"other", 1, "1"});
  world.settle();
  CHECK(world.dialed.size() == 1);
  CHECK(world.complete({0}));
}

TEST_CASE("a member that is found again and lost again is dialed as often as the first time") {
  two_members world;
  world.cut(1, 2);
  world.run();
  for (int round = 0; round < 5; ++round) {
    world.fire_timer();
    world.run();
  }
  world.heal(1, 2);
  world.settle();
  REQUIRE(world.complete({0, 1}));
  auto lost_at = world.now;
  world.dialed.clear();
  world.crash(1);
  world.settle();
  CHECK(world.dialed.front().first == lost_at + 50ms);
  CHECK(world.dialed.size() == member_config{}.max_lost_rounds);
}

TEST_CASE("lost members are dialed after ever longer waits, up to the longest") {
  two_members world;
  world.dialed.clear();
  world.crash(1);
  world.settle();
  std::vector<std::chrono::nanoseconds> waits;
  for (std::size_t i = 1; i < world.dialed.size(); ++i)
    waits.push_back(world.dialed[i].first - world.dialed[i - 1].first);
  CHECK(waits
        == std::vector<std::chrono::nanoseconds>{50ms, 100ms, 200ms, 400ms, 800ms, 1'600ms, 3'200ms,
                                                 6'400ms, 12'800ms, 25'600ms, 30s});
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
  two_members world;
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

TEST_CASE("a member whose membership ended is forgotten if nobody else sees it") {
  two_members world;
  member_effects effects;
  auto& table = *world.nodes[0].table;
  table.link_lost(table.connected().front()->link, departure::node_ended, effects);
  CHECK(table.known() == 0);
  CHECK(table.contacts() == 0);
}

TEST_CASE("a member whose membership ended, and that others see, is sought at all its addresses") {
  member_world world;
  world.wrong_addresses = {member_world::at_port(77)};
  world.start_cluster(3);
  member_effects effects;
  auto& table = *world.nodes[0].table;
  table.link_lost(table.connected().front()->link, departure::node_ended, effects);
  auto number = first_of<dial>(effects).number;
  effects.clear();
  table.dial_failed(number, dial_failure::passing, "nobody listens", effects);
  CHECK(first_of<dial>(effects).target == member_world::at_port(2));
}

TEST_CASE("a member that knows of no session is lost, and dialed again") {
  two_members world;
  member_effects effects;
  auto& table = *world.nodes[0].table;
  const auto* member = table.connected().front();
  table.received(member->link, session_over{member->session}, effects);
  table.check_invariants();
  CHECK(first_of<report_member_left>(effects).why == departure::connection_lost);
  CHECK(table.contacts() == 1);
}

TEST_CASE("a member is vouched for by this node's own session") {
  two_members world;
  CHECK(world.nodes[0].table->is_vouched_for(world.incarnation_number(101)));
}

TEST_CASE("hints about oneself, the sender, nobody, and without an address change nothing") {
  three_members world;
  member_effects effects;
  auto& table = *world.nodes[0].table;
  const auto* sender = table.connected().front();
  auto somewhere = std::vector{member_world::at_port(9)};
  for (const auto& hint :
       {member_hint{table.self().incarnation, somewhere}, member_hint{{}, somewhere},
        member_hint{world.incarnation_number(200), {}}})
    table.received(sender->link, members_changed{sender->session, {hint}, {}}, effects);
  // What cannot be is told of, and nothing is done: the first and the second of its kind.
  CHECK(effects.size() == 2);
  for (const auto& effect : effects)
    CHECK(std::holds_alternative<report_ignored>(effect));
  CHECK(table.known() == 2);
  table.check_invariants();
}

TEST_CASE("a member that vouches for itself is lost like any other") {
  three_members world;
  member_effects effects;
  auto& table = *world.nodes[0].table;
  const auto* sender = table.connected().front();
  auto incarnation = sender->record.incarnation;
  auto link = sender->link;
  table.received(link,
                 members_changed{sender->session, {{incarnation, {member_world::at_port(9)}}}, {}},
                 effects);
  CHECK(effects.empty());
  table.check_invariants();
  table.link_lost(link, departure::connection_lost, effects);
  CHECK(first_of<report_member_left>(effects).incarnation == incarnation);
  table.check_invariants();
}

TEST_CASE("news may tell of members that came and of members that went") {
  three_members world;
  member_effects effects;
  auto& table = *world.nodes[0].table;
  const auto* sender = table.connected().front();
  const auto* other = table.connected().back();
  auto fresh = member_hint{world.incarnation_number(200), {member_world::at_port(9)}};
  table.received(sender->link,
                 members_changed{sender->session, {fresh}, {other->record.incarnation}}, effects);
  CHECK(table.is_vouched_for(fresh.incarnation));
  CHECK(other->vouchers.empty());
}

TEST_CASE("a node that knows as many as it may hears who vouches for those that it knows") {
  member_world world;
  for (std::uint16_t port = 1; port <= 3; ++port)
    world.start(100 + port, port, {"c", 1, "1"}, 2);
  for (std::size_t joining = 1; joining <= 2; ++joining) {
    world.join(joining, 1);
    world.settle();
  }
  for (const auto* member : world.nodes[0].table->connected())
    CHECK(member->vouchers.size() == 1);
}

TEST_CASE("who vouches for a member twice is one voucher") {
  three_members world;
  member_effects effects;
  auto& table = *world.nodes[0].table;
  const auto* sender = table.connected().front();
  const auto* other = table.connected().back();
  table.received(
    sender->link,
    members_changed{sender->session, {{other->record.incarnation, other->record.control}}, {}},
    effects);
  CHECK(other->vouchers == std::vector{sender->record.incarnation});
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

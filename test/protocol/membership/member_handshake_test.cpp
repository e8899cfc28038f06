// How two nodes agree on one session, however their messages cross.

#include <algorithm>

#include "mobula/actors/protocol/membership/member_table.hpp"

#include "member_fixtures.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

/// Two members that lost each other and may dial again. The first has, over link 0: its hello is
/// under way.
struct first_dials_again : two_members {
  first_dials_again() : two_members(dialing::adds_links) {
    cut(1, 2);
    run();
    heal(1, 2);
    fire_timer();
    end_dial(0);
  }
};

/// A member of two that was told of node 200, dialed it over link 90, and got no answer.
struct silent_stranger : two_members {
  silent_stranger() {
    const auto* sender = table().connected().front();
    table().received(sender->link,
                     members_changed{sender->session, {{stranger, {member_world::at_port(9)}}}, {}},
                     effects);
    dial_again();
    fire();
  }

  member_table& table() {
    return *nodes[0].table;
  }

  /// Ends the dial that the last event began.
  void dial_again() {
    auto number = first_of<dial>(effects).number;
    effects.clear();
    table().dialed(number, link_id{90}, effects);
    table().check_invariants();
  }

  /// Fires the timer that the last event started.
  void fire() {
    auto timer = first_of<start_timer>(effects).timer;
    effects.clear();
    table().timer_fired(timer, effects);
    table().check_invariants();
  }

  incarnation_id stranger = incarnation_number(200);
  member_effects effects;
};

} // namespace

TEST_CASE("hellos that cross on one link begin one session, and end none") {
  two_strangers world;
  world.join(0, 2);
  world.join(1, 1);
  world.end_dial(0);
  world.end_dial(0);
  world.deliver_to(0, 0);
  CHECK(std::holds_alternative<crossed>(world.end_of(1, 0).arriving.back()));
  world.settle();
  CHECK(world.complete({0, 1}));
  CHECK(world.nodes[0].departures.empty());
  CHECK(world.nodes[1].departures.empty());
}

TEST_CASE_FIXTURE(first_dials_again, "hellos that cross on two links begin one session") {
  fire_timer();
  end_dial(0);
  settle();
  CHECK(complete({0, 1}));
  CHECK(nodes[0].departures == std::vector{departure::connection_lost});
  CHECK(nodes[1].departures == std::vector{departure::connection_lost});
}

TEST_CASE("a new session has a larger number than any before, whoever counted them") {
  member_world world{dialing::adds_links};
  for (std::uint16_t port = 1; port <= 3; ++port)
    world.start(99 + port, port);
  for (int joins = 0; joins < 4; ++joins) {
    world.join(2, 1);
    world.settle();
  }
  world.join(1, 3);
  world.settle();
  auto before = world.nodes[1].members.at(member_world::incarnation_number(102));
  world.cut(2, 3);
  world.run();
  world.heal(2, 3);
  world.settle();
  CHECK(world.nodes[1].members.at(member_world::incarnation_number(102)) > before);
}

TEST_CASE("a session that is replaced over another link leaves its old link") {
  two_members world{dialing::adds_links};
  auto first = world.nodes[0].table->connected().front()->link;
  auto side = world.connections[0].ends[0].node == 1 ? 0U : 1U;
  // Only one of the two notices the loss.
  world.connections[0].broken = true;
  world.deliver(0, side);
  world.join(1, 1);
  world.end_dial(0);
  world.deliver_all();
  REQUIRE(world.connected(0, 1));
  CHECK(world.nodes[0].departures == std::vector{departure::replaced});
  CHECK_FALSE(world.nodes[0].links.contains(first));
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

// Two processes may have one CAF node id: what the second says seems to come from the first.
TEST_CASE("who speaks under the CAF id of a member is refused in words, and the member unharmed") {
  three_members world;
  member_effects effects;
  auto& table = *world.nodes[0].table;
  auto link = table.connected().front()->link;
  auto stranger = world.nodes[2].table->self();
  stranger.incarnation = world.incarnation_number(200);
  table.received(link, hello{.speaks = {}, .record = stranger, .proposal = session_id{90}},
                 effects);
  REQUIRE(effects.size() == 1);
  CHECK(
    contains(first_of<report_refused>(effects).text, "speaks under CAF's node id of the member"));
  effects.clear();
  table.received(link, welcome{stranger, session_id{91}, {}}, effects);
  CHECK(effects.empty());
  CHECK(table.find_connected(stranger.incarnation) == nullptr);
  table.check_invariants();
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

TEST_CASE_FIXTURE(first_dials_again, "a contact that ends over another link leaves its own link") {
  fire_timer();
  end_dial(0);
  deliver_to(1, 0);
  CHECK(nodes[1].links == std::set{end_of(1, 0).link});
}

TEST_CASE_FIXTURE(first_dials_again,
                  "a join whose hello crossed ends with the session that begins") {
  auto number = join(1, 1);
  end_dial(0);
  deliver_to(0, 1);
  deliver_to(1, 1);
  CHECK_FALSE(nodes[1].joins.contains(number));
  deliver_to(1, 0);
  CHECK(nodes[1].joins.at(number) == "");
}

TEST_CASE_FIXTURE(first_dials_again, "a join whose hello crossed ends if the session has begun") {
  auto number = join(1, 1);
  end_dial(0);
  deliver_to(0, 1);
  deliver_to(1, 0);
  CHECK_FALSE(nodes[1].joins.contains(number));
  deliver_to(1, 1);
  CHECK(nodes[1].joins.at(number) == "");
}

TEST_CASE("a join is not answered by another session than the one that this node knows") {
  two_members world{dialing::adds_links};
  auto number = world.join(0, 2);
  world.end_dial(0);
  member_effects effects;
  auto& table = *world.nodes[0].table;
  table.received(world.end_of(0, 1).link,
                 already_connected{world.incarnation_number(101), session_id{77}}, effects);
  table.check_invariants();
  CHECK(table.contacts() == 1);
  CHECK(std::ranges::any_of(
    effects, [](const auto& effect) { return std::holds_alternative<start_timer>(effect); }));
  CHECK_FALSE(world.nodes[0].joins.contains(number));
}

TEST_CASE("an answer that nobody asked for changes nothing") {
  two_strangers world;
  member_effects effects;
  auto& table = *world.nodes[0].table;
  auto stranger = member_world::incarnation_number(101);
  table.received(link_id{90}, already_connected{stranger, session_id{7}}, effects);
  table.received(link_id{90}, crossed{stranger}, effects);
  table.received(link_id{90}, refused{join_refusal::has_left, "left"}, effects);
  REQUIRE(effects.size() == 3);
  for (const auto& effect : effects)
    CHECK(std::holds_alternative<forget_link>(effect));
  CHECK(table.known() == 0);
}

TEST_CASE("a welcome that comes twice begins one session") {
  two_members world;
  member_effects effects;
  auto& table = *world.nodes[0].table;
  const auto* member = table.connected().front();
  table.received(member->link, welcome{member->record, member->session, {}}, effects);
  CHECK(effects.empty());
}

TEST_CASE("a welcome in a newer session replaces the one that this node believes in") {
  two_members world;
  member_effects effects;
  auto& table = *world.nodes[0].table;
  const auto* member = table.connected().front();
  session_id newer{static_cast<std::uint64_t>(member->session) + 1};
  table.join(join_id{77}, world.nodes[1].table->self().control.front(), effects);
  auto attempt = first_of<dial>(effects).number;
  table.dialed(attempt, link_id{90}, effects);
  effects.clear();
  table.received(link_id{90}, welcome{member->record, newer, {}}, effects);
  table.check_invariants();
  CHECK(first_of<report_member_left>(effects).why == departure::replaced);
  CHECK(member->session == newer);
}

TEST_CASE("a welcome in a newer session that answers no hello leaves the one that there is") {
  two_members world;
  member_effects effects;
  auto& table = *world.nodes[0].table;
  const auto* member = table.connected().front();
  auto before = member->session;
  session_id newer{static_cast<std::uint64_t>(before) + 1};
  table.received(link_id{90}, welcome{member->record, newer, {}}, effects);
  table.check_invariants();
  CHECK(std::holds_alternative<session_over>(first_of<send_on_link>(effects).message));
  CHECK(member->session == before);
}

TEST_CASE("a welcome that seems to come from oneself makes no member") {
  two_strangers world;
  member_effects effects;
  auto& table = *world.nodes[0].table;
  table.received(link_id{90}, welcome{table.self(), session_id{7}, {}}, effects);
  CHECK(table.known() == 0);
}

TEST_CASE("a node that has left refuses who says hello") {
  two_strangers world;
  world.leave(0);
  member_effects effects;
  hello message{.speaks = {"c", 1, "1"}, .record = world.nodes[1].table->self()};
  world.nodes[0].table->received(link_id{90}, message, effects);
  CHECK(first_of<report_refused>(effects).reason == join_refusal::has_left);
}

TEST_CASE("a join over a second link is answered by the session of that pair, not the latest") {
  member_world world{dialing::adds_links};
  world.start_cluster(3);
  auto before = world.nodes[1].members;
  auto again = world.join(1, 1);
  world.settle();
  CHECK(world.nodes[1].joins.at(again) == "");
  CHECK(world.nodes[1].members == before);
}

TEST_CASE_FIXTURE(silent_stranger, "the loss of a link whose handshake is over changes nothing") {
  effects.clear();
  table().link_lost(link_id{90}, departure::connection_lost, effects);
  table().check_invariants();
  CHECK(effects.empty());
}

TEST_CASE_FIXTURE(silent_stranger, "a handshake that nobody answered begins anew on its old link") {
  CHECK(first_of<forget_link>(effects).link == link_id{90});
  fire();
  dial_again();
  CHECK(std::holds_alternative<hello>(first_of<send_on_link>(effects).message));
}

TEST_CASE_FIXTURE(silent_stranger, "a hello after a handshake that is over crosses nothing") {
  auto record = nodes[1].table->self();
  record.incarnation = stranger;
  effects.clear();
  const hello message{.speaks = {"c", 1, "1"}, .record = record, .proposal = session_id{1}};
  table().received(link_id{90}, message, effects);
  CHECK(std::holds_alternative<welcome>(first_of<send_on_link>(effects).message));
}

TEST_CASE("a welcome that comes after leaving is answered by the leaving") {
  two_strangers world;
  world.join(1, 1);
  world.end_dial(0);
  world.deliver_to(0, 0);
  world.leave(1);
  world.settle();
  CHECK(world.nodes[1].members.empty());
  CHECK(world.complete({0}));
}

TEST_CASE("who dials tells of its members, too") {
  two_members world;
  world.start(102, 3);
  world.cut(1, 3);
  world.join(1, 3);
  world.run();
  CHECK(world.nodes[2].table->is_vouched_for(world.incarnation_number(100)));
}

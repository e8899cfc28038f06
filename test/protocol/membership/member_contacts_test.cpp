// What is done while a node is sought: for how long each time, what is said of it, and what its end
// leaves behind.

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "mobula/actors/protocol/membership/member_table.hpp"

#include "member_fixtures.hpp"

using namespace mobula;
using namespace mobula::test;
using namespace std::chrono_literals;

namespace {

const auto unreachable_rounds = member_config{}.unreachable_rounds;

/// A node that a member has told of another one, which it dials in vain.
struct sought_in_vain : two_strangers {
  explicit sought_in_vain(std::vector<endpoint> where = {at_port(30)}) {
    table.received(stranger,
                   hello{.speaks = ours, .record = record_of_other(), .proposal = session_id{1}},
                   effects);
    auto session = table.find_connected(other())->session;
    hear(members_changed{session, {{incarnation_number(300), std::move(where)}}, {}});
  }

  void hear(const member_message& message) {
    effects.clear();
    table.received(stranger, message, effects);
    table.check_invariants();
  }

  void fail_dial(const std::string& text) {
    auto number = first_of<dial>(effects).number;
    effects.clear();
    table.dial_failed(number, dial_failure::passing, text, effects);
    table.check_invariants();
  }

  /// A connection is made, over which nobody answers.
  void meet_silence() {
    auto number = first_of<dial>(effects).number;
    effects.clear();
    table.dialed(number, link_id{91}, effects);
    end_wait();
  }

  /// Fires the timer that the last event began.
  void end_wait() {
    auto timer = first_of<start_timer>(effects).timer;
    effects.clear();
    table.timer_fired(timer, effects);
    table.check_invariants();
  }

  [[nodiscard]] bool has_reported() const {
    return std::ranges::any_of(effects, [](const auto& effect) {
      return std::holds_alternative<report_member_unreachable>(effect);
    });
  }

  /// Lets whole rounds fail, each as `round` and its number.
  void fail_rounds(std::uint32_t first, std::uint32_t last) {
    for (auto number = first; number <= last; ++number) {
      fail_dial("round " + std::to_string(number));
      if (number < last)
        end_wait();
    }
  }

  member_table& table = *nodes[1].table;
  member_effects effects;
};

} // namespace

// -- how long, how often and where ----------------------------------------------------------------

TEST_CASE_FIXTURE(sought_in_vain, "however often a node was dialed, the next wait is the longest") {
  fail_rounds(1, 80);
  CHECK(first_of<start_timer>(effects).delay == member_config{}.longest_delay);
}

TEST_CASE("a node that was reached at its second address is dialed there first") {
  member_world world;
  world.wrong_addresses = {member_world::at_port(77)};
  world.start_cluster(3);
  auto& table = *world.nodes[1].table;
  member_effects effects;
  table.link_lost(table.find_connected(member_world::incarnation_number(102))->link,
                  departure::connection_lost, effects);
  auto timer = first_of<start_timer>(effects).timer;
  effects.clear();
  table.timer_fired(timer, effects);
  CHECK(first_of<dial>(effects).target == member_world::at_port(3));
}

TEST_CASE("a join that failed otherwise before is tried again after its first silence") {
  two_strangers world;
  auto& table = *world.nodes[1].table;
  member_effects effects;
  table.join(join_id{7}, member_world::at_port(1), effects);
  for (auto how : {dial_failure::passing, dial_failure::passing, dial_failure::silent}) {
    auto number = first_of<dial>(effects).number;
    effects.clear();
    table.dial_failed(number, how, "no answer", effects);
    auto timer = first_of<start_timer>(effects).timer;
    effects.clear();
    table.timer_fired(timer, effects);
  }
  CHECK(first_of<dial>(effects).target == member_world::at_port(1));
}

TEST_CASE("nodes that are sought count for none of the joins that may be open") {
  three_members world;
  world.crash(2);
  world.run();
  REQUIRE(world.nodes[0].table->contacts() == 1);
  for (std::size_t joins = 0; joins < member_config{}.max_joins; ++joins)
    world.join(0, 77);
  CHECK(world.nodes[0].open_joins.size() == member_config{}.max_joins);
}

TEST_CASE("a node that a join waits for is sought, too, when a member tells of it") {
  sought_in_vain node;
  auto third = member_world::incarnation_number(400);
  node.effects.clear();
  node.table.join(join_id{7}, member_world::at_port(40), node.effects);
  node.table.dialed(first_of<dial>(node.effects).number, link_id{92}, node.effects);
  node.table.received(link_id{92}, crossed{third}, node.effects);
  auto session = node.table.find_connected(other())->session;
  node.hear(members_changed{session, {{third, {member_world::at_port(40)}}}, {}});
  CHECK(first_of<dial>(node.effects).target == member_world::at_port(40));
}

TEST_CASE("a node that joins another has it take the place of one that is lost") {
  member_world world;
  world.start(100, 1, ours, 1);
  world.start(101, 2);
  world.start(102, 3);
  world.join(0, 2);
  world.settle();
  REQUIRE(world.connected(0, 1));
  world.crash(1);
  world.run();
  auto number = world.join(0, 3);
  world.run();
  CHECK(world.nodes[0].joins.at(number) == "");
}

// -- what is said ---------------------------------------------------------------------------------

TEST_CASE_FIXTURE(sought_in_vain,
                  "a node is said to be out of reach in the round that decides it") {
  fail_rounds(1, unreachable_rounds - 1);
  CHECK_FALSE(has_reported());
  end_wait();
  fail_rounds(unreachable_rounds, unreachable_rounds);
  CHECK(has_reported());
}

TEST_CASE_FIXTURE(sought_in_vain,
                  "what keeps a node out of reach is what failed in the last round") {
  fail_rounds(1, unreachable_rounds);
  REQUIRE(table.unreachable().size() == 1);
  CHECK(table.unreachable().front()->obstacle == "round " + std::to_string(unreachable_rounds));
  end_wait();
  fail_dial("another");
  CHECK(table.unreachable().front()->obstacle == "another");
  CHECK_FALSE(has_reported());
}

TEST_CASE("of a node that is silent at its second address that address is told") {
  sought_in_vain node{{member_world::at_port(30), member_world::at_port(31)}};
  for (std::uint32_t round = 1; round <= unreachable_rounds; ++round) {
    node.fail_dial("nobody");
    node.meet_silence();
    if (round < unreachable_rounds)
      node.end_wait();
  }
  REQUIRE(node.table.unreachable().size() == 1);
  CHECK(contains(node.table.unreachable().front()->obstacle,
                 "nobody; the node at host:31 did not answer"));
}

TEST_CASE("of a node that all have lost nobody says that it is out of reach") {
  three_members world;
  world.cut(1, 2);
  world.run();
  while (world.nodes[0].unreachable.empty()) {
    world.fire_timer();
    world.run();
  }
  world.cut(2, 3);
  world.run();
  REQUIRE(world.nodes[0].table->known() == 2);
  CHECK(world.nodes[0].table->unreachable().empty());
}

TEST_CASE("who proposes a session of before has a larger one all the same") {
  two_strangers world;
  auto& table = *world.nodes[1].table;
  member_effects effects;
  auto greeting = hello{.speaks = ours, .record = record_of_other(), .proposal = session_id{50}};
  table.received(stranger, greeting, effects);
  greeting.record.incarnation = member_world::incarnation_number(300);
  greeting.proposal = session_id{1};
  table.received(link_id{91}, greeting, effects);
  auto session = table.find_connected(greeting.record.incarnation)->session;
  CHECK(session > table.find_connected(other())->session);
}

// -- answers --------------------------------------------------------------------------------------

namespace {

/// A node that has said hello to another one.
struct hello_said : two_strangers {
  hello_said() {
    table.join(join_id{7}, at_port(9), effects);
    auto number = first_of<dial>(effects).number;
    effects.clear();
    table.dialed(number, link, effects);
    effects.clear();
  }

  static constexpr link_id link{91};
  member_table& table = *nodes[1].table;
  member_effects effects;
};

} // namespace

TEST_CASE_FIXTURE(hello_said, "a join ends with a welcome, though a younger session has begun") {
  table.received(stranger,
                 hello{.speaks = ours, .record = record_of_other(), .proposal = session_id{50}},
                 effects);
  effects.clear();
  table.received(link, welcome{record_of_other(), session_id{40}, {}}, effects);
  CHECK(first_of<report_join_succeeded>(effects).member == other());
  CHECK(table.find_connected(other())->session == session_id{50});
}

TEST_CASE_FIXTURE(hello_said, "who ends a session that it does not know proposes a larger one") {
  table.received(link, already_connected{other(), session_id{70}}, effects);
  auto again = std::get<hello>(first_of<send_on_link>(effects).message);
  CHECK(again.ends == session_id{70});
  CHECK(again.proposal > session_id{70});
}

TEST_CASE_FIXTURE(hello_said, "a welcome after the end of this node's membership hears of that") {
  table.leave(effects);
  effects.clear();
  table.received(link, welcome{record_of_other(), session_id{5}, {}}, effects);
  const auto& answer = first_of<send_on_link>(effects).message;
  REQUIRE(std::holds_alternative<leave_cluster>(answer));
  CHECK(std::get<leave_cluster>(answer).session == session_id{5});
}

TEST_CASE_FIXTURE(hello_said, "who is welcomed does not tell the other one of itself") {
  table.received(link, welcome{record_of_other(), session_id{5}, {}}, effects);
  CHECK(std::get<members_changed>(first_of<send_on_link>(effects).message).connected.empty());
}

TEST_CASE("who ends another session than the one that there is hears which one that is") {
  two_strangers world;
  auto& table = *world.nodes[1].table;
  member_effects effects;
  auto greeting = hello{.speaks = ours, .record = record_of_other(), .proposal = session_id{50}};
  table.received(stranger, greeting, effects);
  effects.clear();
  greeting.ends = session_id{40};
  table.received(stranger, greeting, effects);
  const auto& answer = first_of<send_on_link>(effects).message;
  REQUIRE(std::holds_alternative<already_connected>(answer));
  CHECK(std::get<already_connected>(answer).session == session_id{50});
}

TEST_CASE("messages that cannot be are counted for each kind") {
  two_strangers world;
  auto& table = *world.nodes[1].table;
  member_effects effects;
  for (int times = 0; times < 2; ++times)
    table.received(stranger, crossed{table.self().incarnation}, effects);
  effects.clear();
  table.received(stranger, already_connected{table.self().incarnation, session_id{1}}, effects);
  CHECK(contains(first_of<report_ignored>(effects).text, "(1 of these so far)"));
}

// -- ends -----------------------------------------------------------------------------------------

TEST_CASE("a handshake that is answered stops its timer") {
  two_strangers world;
  world.join(1, 1);
  world.end_dial(0);
  REQUIRE(world.running_timers.size() == 1);
  world.deliver_all();
  REQUIRE(world.complete({0, 1}));
  CHECK(world.running_timers.empty());
}

TEST_CASE("a connection that is made when its contact has ended is of no use") {
  two_members world{dialing::adds_links};
  world.cut(1, 2);
  world.run();
  world.heal(1, 2);
  world.fire_timer();
  world.fire_timer();
  REQUIRE(world.dials.size() == 2);
  world.end_dial(1);
  world.deliver_all();
  REQUIRE(world.connected(0, 1));
  world.end_dial(0);
  CHECK(world.complete({0, 1}));
}

// What one node may do to the counters and the log of another: no more than leaves room.

#include <string>
#include <vector>

#include "mobula/actors/protocol/membership/member_checks.hpp"
#include "mobula/actors/protocol/membership/member_table.hpp"

#include "member_fixtures.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

hello hello_with(session_id proposal) {
  return {.speaks = ours, .record = record_of_other(), .proposal = proposal};
}

} // namespace

TEST_CASE("who jumps ahead with a session keeps nobody from beginning others") {
  for (auto jump : {std::uint64_t{1} << 32U, std::uint64_t{1} << 40U,
                    member_limits::max_followed_session, member_limits::max_session}) {
    CAPTURE(jump);
    member_world world;
    for (std::uint16_t port : {1, 2, 3})
      world.start(100U + port, port);
    auto& table = *world.nodes[0].table;
    member_effects effects;
    table.received(stranger, hello_with(session_id{jump}), effects);
    REQUIRE(table.find_connected(other()) != nullptr);
    CHECK(table.find_connected(other())->session == session_id{jump});
    // It proposes a number to the second node, and the second one to the third.
    auto first = world.join(0, 2);
    auto second = world.join(1, 3);
    world.run();
    CHECK(world.nodes[0].joins.at(first) == "");
    CHECK(world.nodes[1].joins.at(second) == "");
    CHECK(world.connected(0, 1));
    CHECK(world.connected(1, 2));
  }
}

TEST_CASE("a node whose counter was jumped to its bound still begins sessions, each larger") {
  two_members world{dialing::adds_links};
  auto& table = *world.nodes[0].table;
  member_effects effects;
  table.received(stranger, hello_with(session_id{member_limits::max_session}), effects);
  auto last = session_id::none;
  for (int round = 0; round < 3; ++round) {
    world.cut(1, 2);
    world.run();
    world.heal(1, 2);
    while (!world.connected(0, 1)) {
      world.fire_timer();
      world.run();
    }
    auto now = table.find_connected(world.nodes[1].table->self().incarnation)->session;
    CHECK(now > last);
    CHECK(now > session_id{member_limits::max_followed_session});
    last = now;
  }
}

TEST_CASE("what a hello says is logged and answered in bounds, and as it can be shown") {
  auto spoilt = "no\x1b[2J\n" + std::string(2'000'000, 'x');
  auto greeting = hello_with(session_id{9});
  greeting.record.name = spoilt;
  for (const auto& speaks : {dialect{spoilt, 1, "1"}, dialect{"c", 1, spoilt}, ours}) {
    greeting.speaks = speaks;
    three_members world;
    auto& table = *world.nodes[0].table;
    member_effects effects;
    for (auto link : {stranger, table.connected().front()->link})
      table.received(link, greeting, effects);
    std::vector<std::string> texts;
    for (const auto& effect : effects)
      if (const auto* logged = std::get_if<report_refused>(&effect))
        texts.push_back(logged->text);
    // A stranger that speaks under a member's id is not answered.
    REQUIRE(texts.size() == 2);
    texts.push_back(std::get<refused>(first_of<send_on_link>(effects).message).text);
    for (const auto& text : texts) {
      CHECK(text.size() < 2'000);
      CHECK(text.find_first_of("\x1b\n") == std::string::npos);
    }
  }
}

TEST_CASE("of many hellos that are refused for one reason, the log has few, and all are answered") {
  member_world world;
  world.start(100, 1);
  std::size_t lines = 0;
  std::size_t answers = 0;
  auto refuse = [&](const dialect& speaks) {
    auto greeting = hello_with(session_id{1});
    greeting.speaks = speaks;
    member_effects effects;
    world.nodes[0].table->received(stranger, greeting, effects);
    for (const auto& effect : effects) {
      lines += std::holds_alternative<report_refused>(effect) ? 1 : 0;
      answers += std::holds_alternative<send_on_link>(effect) ? 1 : 0;
    }
    return effects;
  };
  for (int count = 0; count < 1'000; ++count)
    refuse({"elsewhere", 1, "1"});
  CHECK(lines == 10);
  CHECK(answers == 1'000);
  // Another reason is told of as soon as it comes.
  CHECK(first_of<report_refused>(refuse({"c", 2, "1"})).reason == join_refusal::wrong_protocol);
  CHECK(contains(first_of<report_refused>(refuse({"c", 2, "1"})).text,
                 "(2 were refused for this reason so far)"));
}

// What other nodes say of membership is looked at before it changes anything: every field of every
// message, with values that no node of ours would send.

#include <functional>
#include <limits>

#include "mobula/actors/protocol/membership/member_checks.hpp"
#include "mobula/actors/protocol/membership/member_table.hpp"

#include "member_fixtures.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr auto largest = std::numeric_limits<std::uint64_t>::max();

node_record sound_record() {
  auto result = record_of_other();
  result.host = {.boot_id = "b", .user_id = 1, .mount_device = 2};
  result.process_id = 1;
  result.data = {.where = {{"10.0.0.1", 5}}, .token = {}};
  result.arena_path = "/dev/shm/mobula";
  return result;
}

/// Endpoints that nobody can have, and in which list they stand.
std::vector<std::vector<endpoint>> bad_endpoints() {
  return {{},
          {{"", 1}},
          {{"host", 0}},
          {{"host", 1}, {"two words", 1}},
          {{"a\nb", 1}},
          {{std::string(256, 'a'), 1}},
          {{std::string(1, '\0'), 1}},
          std::vector<endpoint>(65, {"host", 1})};
}

std::vector<node_record> bad_records() {
  std::vector<node_record> result;
  auto add = [&](const std::function<void(node_record&)>& spoil) {
    spoil(result.emplace_back(sound_record()));
  };
  add([](auto& record) { record.incarnation = {}; });
  add([](auto& record) { record.name.assign(513, 'n'); });
  add([](auto& record) { record.name = "other\x1b[2J"; });
  add([](auto& record) { record.host.boot_id.assign(129, 'b'); });
  add([](auto& record) { record.host.boot_id = "a\nb"; });
  add([](auto& record) { record.process_id = std::numeric_limits<std::int64_t>::min(); });
  add([](auto& record) { record.arena_path = "relative"; });
  add([](auto& record) { record.arena_path = std::string{"/a\0b", 4}; });
  add([](auto& record) { record.arena_path.assign(5'000, '/'); });
  for (const auto& endpoints : bad_endpoints()) {
    add([&](auto& record) { record.control = endpoints; });
    // A node may serve no bytes, but it can be dialed.
    if (!endpoints.empty())
      add([&](auto& record) { record.data.where = endpoints; });
  }
  return result;
}

std::vector<session_id> bad_sessions() {
  return {session_id{0}, session_id{largest}, session_id{largest - 1},
          session_id{member_limits::max_session + 1}};
}

std::vector<std::vector<member_hint>> bad_hints() {
  std::vector<std::vector<member_hint>> result{{{{}, {{"host", 1}}}},
                                               std::vector<member_hint>(65'537)};
  for (const auto& control : bad_endpoints())
    result.push_back({{other(), control}});
  return result;
}

std::vector<member_message> bad_hellos() {
  std::vector<member_message> result;
  for (const auto& record : bad_records())
    result.push_back(hello{.speaks = ours, .record = record, .proposal = session_id{1}});
  for (auto session : bad_sessions())
    result.push_back(hello{.speaks = ours, .record = sound_record(), .proposal = session});
  return result;
}

std::vector<member_message> bad_welcomes() {
  std::vector<member_message> result;
  for (const auto& record : bad_records())
    result.push_back(welcome{record, session_id{5}, {}});
  for (auto session : bad_sessions())
    result.push_back(welcome{sound_record(), session, {}});
  for (const auto& hints : bad_hints())
    result.push_back(welcome{sound_record(), session_id{5}, hints});
  auto oneself = sound_record();
  oneself.incarnation = member_world::incarnation_number(100);
  result.push_back(welcome{oneself, session_id{5}, {}});
  return result;
}

std::vector<member_message> bad_answers() {
  auto result = bad_welcomes();
  auto self = member_world::incarnation_number(100);
  result.push_back(crossed{{}});
  result.push_back(crossed{self});
  result.push_back(already_connected{{}, session_id{5}});
  result.push_back(already_connected{self, session_id{5}});
  for (auto session : bad_sessions())
    result.push_back(already_connected{other(), session});
  return result;
}

/// A node that is in the middle of a handshake with something that listens at port 9.
struct half_greeted : member_world {
  half_greeted() {
    start(100, 1);
    number = join_id{77};
    event([this](auto& table, auto& out) { table.join(number, at_port(9), out); });
    auto attempt = std::get<dial>(effects.front()).number;
    event([&](auto& table, auto& out) { table.dialed(attempt, stranger, out); });
  }

  template <class F>
  void event(F&& run) {
    effects.clear();
    run(*nodes[0].table, effects);
    nodes[0].table->check_invariants();
  }

  void receive(const member_message& message) {
    event([&](auto& table, auto& out) { table.received(stranger, message, out); });
  }

  template <class Effect>
  [[nodiscard]] const Effect* find() const {
    for (const auto& effect : effects)
      if (const auto* found = std::get_if<Effect>(&effect))
        return found;
    return nullptr;
  }

  join_id number{};
  member_effects effects;
};

/// A node that was talked to is as good as new: the next one joins through it.
void check_in_order(member_world& world) {
  world.start(150, 2);
  auto number = world.join(world.nodes.size() - 1, 1);
  world.settle();
  CHECK(world.nodes.back().joins.at(number) == "");
  CHECK(world.connected(0, world.nodes.size() - 1));
}

} // namespace

TEST_CASE("a sound message of each kind passes the checks") {
  auto record = sound_record();
  for (const auto& message :
       {member_message{hello{.speaks = ours, .record = record, .proposal = session_id{1}}},
        member_message{welcome{record, session_id{1}, {{other(), record.control}}}},
        member_message{crossed{other()}}, member_message{already_connected{other(), session_id{1}}},
        member_message{refused{join_refusal::has_left, "left"}},
        member_message{members_changed{session_id{1}, {{other(), record.control}}, {other()}}},
        member_message{session_over{session_id{1}}}, member_message{leave_cluster{session_id{1}}}})
    CHECK(fault_of(message) == std::nullopt);
}

TEST_CASE("a hello that cannot be is refused in words, and its sender is no member") {
  for (const auto& message : bad_hellos()) {
    member_world world;
    world.start(100, 1);
    member_effects effects;
    auto& table = *world.nodes[0].table;
    table.received(stranger, message, effects);
    table.check_invariants();
    REQUIRE(effects.size() == 3);
    CHECK(std::get<report_refused>(effects[0]).reason == join_refusal::malformed);
    auto answer = std::get<refused>(std::get<send_on_link>(effects[1]).message);
    CHECK(contains(answer.text, "cannot make sense of what the joining node says of itself: "));
    CHECK(std::holds_alternative<forget_link>(effects[2]));
    CHECK(table.known() == 0);
    check_in_order(world);
  }
}

TEST_CASE("an answer to a hello that cannot be ends the join in words, and nothing else") {
  for (const auto& message : bad_answers()) {
    half_greeted world;
    world.receive(message);
    REQUIRE(world.find<report_ignored>() != nullptr);
    const auto* failed = world.find<report_join_failed>();
    REQUIRE(failed != nullptr);
    CHECK(contains(failed->text, "the node at host:9 answered with a message ("));
    CHECK(world.find<report_member_joined>() == nullptr);
    CHECK(world.nodes[0].table->known() == 0);
    CHECK(world.nodes[0].table->contacts() == 0);
    check_in_order(world);
  }
}

TEST_CASE("a welcome that answers no hello begins no session, and its sender is told so") {
  for (const auto& message : bad_welcomes()) {
    member_world world;
    world.start(100, 1);
    member_effects effects;
    world.nodes[0].table->received(stranger, message, effects);
    world.nodes[0].table->check_invariants();
    CHECK(world.nodes[0].table->known() == 0);
  }
  member_world world;
  world.start(100, 1);
  member_effects effects;
  world.nodes[0].table->received(stranger, welcome{sound_record(), session_id{5}, {}}, effects);
  REQUIRE(effects.size() == 3);
  CHECK(std::get<report_ignored>(effects[0]).text
        == "a welcome of another node: it answers no hello of this node (1 of these so far)");
  CHECK(std::get<session_over>(std::get<send_on_link>(effects[1]).message).session
        == session_id{5});
  CHECK(world.nodes[0].table->known() == 0);
  check_in_order(world);
}

TEST_CASE("a welcome that comes late from a node that is still sought begins its session") {
  two_members world{dialing::adds_links};
  world.cut(1, 2);
  world.run();
  member_effects effects;
  auto& table = *world.nodes[0].table;
  auto record = world.nodes[1].table->self();
  REQUIRE(table.contacts() == 1);
  table.received(stranger, welcome{record, session_id{50}, {}}, effects);
  table.check_invariants();
  REQUIRE(table.find_connected(record.incarnation) != nullptr);
}

TEST_CASE("news of members that cannot be change nothing within a session") {
  for (const auto& hints : bad_hints()) {
    three_members world;
    auto& table = *world.nodes[0].table;
    const auto* member = table.connected().front();
    member_effects effects;
    table.received(member->link, members_changed{member->session, hints, {}}, effects);
    table.check_invariants();
    REQUIRE(effects.size() == 1);
    CHECK(contains(std::get<report_ignored>(effects.front()).text, "a members_changed of another"));
    CHECK(table.known() == 2);
    CHECK(world.complete({0, 1, 2}));
  }
  three_members world;
  auto& table = *world.nodes[0].table;
  const auto* member = table.connected().front();
  for (const auto& gone : {std::vector<incarnation_id>{{}}, std::vector(65'537, other())}) {
    member_effects effects;
    table.received(member->link, members_changed{member->session, {}, gone}, effects);
    table.check_invariants();
    CHECK(table.known() == 2);
  }
}

TEST_CASE("members that were never heard of may go, and oneself may be named") {
  three_members world;
  auto& table = *world.nodes[0].table;
  const auto* member = table.connected().front();
  member_effects effects;
  auto self = world.incarnation_number(100);
  table.received(member->link,
                 members_changed{member->session, {{self, {{"host", 9}}}}, {other(), self}},
                 effects);
  table.check_invariants();
  CHECK(effects.empty());
  CHECK(world.complete({0, 1, 2}));
}

TEST_CASE("the end of a session that never was changes nothing") {
  for (auto session : bad_sessions()) {
    three_members world;
    auto& table = *world.nodes[0].table;
    member_effects effects;
    for (auto link : {table.connected().front()->link, stranger}) {
      table.received(link, session_over{session}, effects);
      table.received(link, leave_cluster{session}, effects);
      table.check_invariants();
    }
    CHECK(world.complete({0, 1, 2}));
    CHECK(table.connected().size() == 2);
  }
}

TEST_CASE("no message makes a node propose a session that others refuse") {
  member_world world;
  world.start(100, 1);
  auto& table = *world.nodes[0].table;
  for (const auto& message : bad_hellos()) {
    member_effects effects;
    table.received(stranger, message, effects);
  }
  check_in_order(world);
  CHECK(static_cast<std::uint64_t>(table.connected().front()->session) < 10);
}

TEST_CASE("a refusal is shown without what could spoil a terminal, and not at any length") {
  half_greeted world;
  world.receive(refused{join_refusal{250}, "no\x1b[2J\n" + std::string(2'000'000, 'x')});
  const auto* failed = world.find<report_join_failed>();
  REQUIRE(failed != nullptr);
  CHECK(failed->text.starts_with("no?[2J?xxx"));
  CHECK(failed->text.size() < 1'100);
}

TEST_CASE("of many messages that cannot be, the log has few") {
  member_world world;
  world.start(100, 1);
  std::size_t lines = 0;
  for (int count = 0; count < 1'000; ++count) {
    member_effects effects;
    world.nodes[0].table->received(stranger, crossed{{}}, effects);
    for (const auto& effect : effects)
      lines += std::holds_alternative<report_ignored>(effect) ? 1 : 0;
  }
  CHECK(lines == 10);
}

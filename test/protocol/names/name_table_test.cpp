// Which node gets a name that several publish, and what members that join, leave or misbehave make
// of it.

#include "mobula/actors/protocol/names/name_table.hpp"

#include "../../contains.hpp"
#include "name_world.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

struct three_members : name_world {
  three_members() : name_world(3) {
    connect_all();
    run();
  }
};

} // namespace

TEST_CASE("a published name is found by all members") {
  three_members world;
  CHECK(!world.publish(1, "index"));
  world.run();
  for (std::size_t index = 0; index < 3; ++index)
    CHECK(world.keeper(index, "index") == 1);
}

TEST_CASE("a member that joins later learns all names from their publishers") {
  name_world world{3};
  CHECK(!world.publish(0, "a"));
  CHECK(!world.publish(1, "b"));
  world.connect_all();
  world.run();
  CHECK(world.keeper(2, "a") == 0);
  CHECK(world.keeper(2, "b") == 1);
}

TEST_CASE("an unpublished name is found no more, and free for others") {
  three_members world;
  CHECK(!world.publish(1, "index"));
  world.run();
  world.unpublish(1, "index");
  world.run();
  CHECK(world.nodes[0].table->size() == 0);
  CHECK(!world.publish(2, "index"));
}

TEST_CASE("a name that was published before others is taken back as any other") {
  three_members world;
  CHECK(!world.publish(1, "first"));
  CHECK(!world.publish(1, "second"));
  world.unpublish(1, "first");
  world.run();
  for (std::size_t index = 0; index < 3; ++index) {
    CHECK(!world.keeper(index, "first"));
    CHECK(world.keeper(index, "second") == 1);
  }
}

TEST_CASE("a name is gone with its publisher") {
  three_members world;
  CHECK(!world.publish(1, "index"));
  world.run();
  world.disconnect(0, 1);
  CHECK(!world.keeper(0, "index"));
  CHECK(world.keeper(2, "index") == 1);
}

TEST_CASE("a name that is known is refused to others, with its keeper") {
  three_members world;
  CHECK(!world.publish(1, "index"));
  world.run();
  auto refusal = world.publish(2, "index");
  REQUIRE(refusal);
  CHECK(contains(*refusal, to_string(name_world::incarnation_of(1))));
  CHECK(world.publish(1, "index"));
}

TEST_CASE("a name that is republished is known to members at any time, first as the old one") {
  three_members world;
  CHECK(!world.publish(1, "index"));
  world.run();
  const std::vector<std::byte> fresh{std::byte{1}, std::byte{2}};
  CHECK(!world.republish(1, "index", fresh));
  CHECK(world.keeper(0, "index") == 1);
  // The one message that is under way changes the one into the other.
  CHECK(world.links[{1, 0}].size() == 1);
  world.deliver(1, 0);
  REQUIRE(world.nodes[0].table->lookup("index") != nullptr);
  CHECK(world.nodes[0].table->lookup("index")->payload == fresh);
  CHECK(world.nodes[1].table->lookup("index")->payload == fresh);
}

TEST_CASE("a name that is republished is as old as it was, and not lost to one in between") {
  three_members world;
  CHECK(!world.publish(2, "index"));
  world.deliver(2, 1);
  CHECK(!world.publish(1, "other"));
  world.deliver(1, 0);
  CHECK(!world.publish(0, "index"));
  world.deliver(1, 2);
  CHECK(!world.republish(2, "index", name_world::payload_of(2)));
  world.run();
  CHECK(world.nodes[0].lost == std::vector<std::string>{"index"});
  CHECK(world.keeper(0, "index") == 2);
}

TEST_CASE("republishing publishes a name that is free, and is refused one of another node") {
  three_members world;
  CHECK(!world.republish(1, "index", name_world::payload_of(1)));
  world.run();
  CHECK(world.keeper(0, "index") == 1);
  CHECK(world.republish(2, "index", name_world::payload_of(2)));
}

TEST_CASE("a name that was republished is taken back as any other") {
  three_members world;
  CHECK(!world.publish(1, "index"));
  CHECK(!world.republish(1, "index", name_world::payload_of(1)));
  world.run();
  world.unpublish(1, "index");
  world.run();
  CHECK(!world.keeper(0, "index"));
}

TEST_CASE("of two that publish a name at once the smaller incarnation keeps it, and all agree") {
  three_members world;
  CHECK(!world.publish(1, "index"));
  CHECK(!world.publish(2, "index"));
  world.run();
  CHECK(world.nodes[2].lost == std::vector<std::string>{"index"});
  CHECK(world.nodes[1].lost.empty());
  for (std::size_t index = 0; index < 3; ++index)
    CHECK(world.keeper(index, "index") == 1);
}

TEST_CASE("who published earlier, by what it had heard of, keeps a name against a smaller one") {
  three_members world;
  CHECK(!world.publish(2, "index"));
  world.deliver(2, 1);
  CHECK(!world.publish(1, "other"));
  world.deliver(1, 0);
  CHECK(!world.publish(0, "index"));
  world.run();
  CHECK(world.nodes[0].lost == std::vector<std::string>{"index"});
  CHECK(world.keeper(0, "index") == 2);
}

TEST_CASE("a name that two published is gone when the one that kept it takes it back") {
  three_members world;
  CHECK(!world.publish(1, "index"));
  CHECK(!world.publish(2, "index"));
  world.run();
  world.unpublish(1, "index");
  world.run();
  for (std::size_t index = 0; index < 3; ++index)
    CHECK(!world.keeper(index, "index"));
}

TEST_CASE("a member that leaves takes along also a name that another keeps") {
  three_members world;
  CHECK(!world.publish(1, "index"));
  CHECK(!world.publish(2, "index"));
  world.deliver(1, 0);
  world.deliver(2, 0);
  world.disconnect(0, 2);
  CHECK(world.keeper(0, "index") == 1);
  world.disconnect(0, 1);
  CHECK(!world.keeper(0, "index"));
}

TEST_CASE("what was said in a session that is over changes nothing") {
  three_members world;
  CHECK(!world.publish(1, "index"));
  world.disconnect(0, 1);
  world.unpublish(1, "index");
  world.connect(0, 1);
  world.run();
  CHECK(!world.keeper(0, "index"));
}

TEST_CASE("what a publisher tells beyond its bounds is not taken") {
  name_table table{name_world::incarnation_of(0),
                   {.max_names = 2, .max_name_bytes = 4, .max_payload_bytes = 2}};
  name_effects effects;
  auto publisher = name_world::incarnation_of(1);
  table.member_joined(publisher, session_id{1}, effects);
  names_changed told{.session = session_id{1}, .withdrawn = {}, .published = {}};
  for (std::string name : {"", "abcde", "a", "b", "c"})
    told.published.push_back({name, publish_number{told.published.size() + 1}, {}});
  told.published.insert(told.published.begin(),
                        {"wide", publish_number{9}, std::vector<std::byte>(3)});
  table.received(publisher, told, effects);
  table.check_invariants();
  CHECK(table.size() == 2);
  CHECK(table.lookup("a") != nullptr);
  CHECK(table.lookup("b") != nullptr);
}

TEST_CASE("a publisher at its bound may publish a name of its own anew") {
  name_table table{name_world::incarnation_of(0), {.max_names = 1}};
  name_effects effects;
  auto publisher = name_world::incarnation_of(1);
  table.member_joined(publisher, session_id{1}, effects);
  for (std::uint64_t number : {1, 2})
    table.received(
      publisher,
      {.session = session_id{1}, .withdrawn = {}, .published = {{"a", publish_number{number}, {}}}},
      effects);
  REQUIRE(table.lookup("a") != nullptr);
  CHECK(table.lookup("a")->number == publish_number{2});
}

TEST_CASE("a number that nobody can have counted to gives this node's names no advantage") {
  name_table table{name_world::incarnation_of(0)};
  name_effects effects;
  auto publisher = name_world::incarnation_of(1);
  table.member_joined(publisher, session_id{1}, effects);
  names_changed told{.session = session_id{1}, .withdrawn = {}, .published = {}};
  told.published.push_back({"theirs", publish_number{5}, {}});
  told.published.push_back({"last", publish_number{~std::uint64_t{0}}, {}});
  table.received(publisher, told, effects);
  CHECK(table.lookup("last") != nullptr);
  CHECK(!table.publish("mine", {}, effects));
  CHECK(table.lookup("mine")->number == publish_number{6});
  table.check_invariants();
}

TEST_CASE("names and payloads beyond their bounds are refused, with the bound") {
  name_table table{name_world::incarnation_of(0),
                   {.max_names = 1, .max_name_bytes = 4, .max_payload_bytes = 2}};
  name_effects effects;
  CHECK(contains(*table.publish("", {}, effects), "use 1 to 4"));
  CHECK(contains(*table.publish("abcde", {}, effects), "has 5 bytes"));
  CHECK(contains(*table.publish("a", std::vector<std::byte>(3), effects), "has 3 bytes"));
  CHECK(!table.publish("a", {}, effects));
  CHECK(contains(*table.publish("b", {}, effects), "which is the most"));
}

TEST_CASE("names and payloads of exactly as many bytes as may be are published, and taken") {
  const name_config bounds{.max_name_bytes = 4, .max_payload_bytes = 2};
  name_table publisher{name_world::incarnation_of(1), bounds};
  name_table member{name_world::incarnation_of(0), bounds};
  name_effects effects;
  member.member_joined(name_world::incarnation_of(1), session_id{1}, effects);
  publisher.member_joined(name_world::incarnation_of(0), session_id{1}, effects);
  effects.clear();
  CHECK(!publisher.publish("abcd", std::vector<std::byte>(2), effects));
  REQUIRE(effects.size() == 1);
  auto told = std::get<tell_names>(effects.front()).content;
  member.received(name_world::incarnation_of(1), told, effects);
  CHECK(member.lookup("abcd") != nullptr);
}

TEST_CASE("each publisher may have the most names that one may") {
  name_table table{name_world::incarnation_of(0), {.max_names = 2}};
  name_effects effects;
  for (std::size_t index : {1, 2}) {
    auto publisher = name_world::incarnation_of(index);
    table.member_joined(publisher, session_id{1}, effects);
    names_changed told{.session = session_id{1}, .withdrawn = {}, .published = {}};
    for (std::string name : {"a", "b"})
      told.published.push_back({name + std::to_string(index), publish_number{index}, {}});
    table.received(publisher, told, effects);
  }
  CHECK(table.size() == 4);
}

TEST_CASE("a member that joins is told many names in several messages, each once") {
  name_table table{name_world::incarnation_of(0), {.max_message_bytes = 100}};
  name_effects ignored;
  for (const auto* name : {"a", "b", "c", "d", "e"})
    CHECK(!table.publish(name, std::vector<std::byte>(40), ignored));
  name_effects told;
  table.member_joined(name_world::incarnation_of(1), session_id{1}, told);
  std::string names;
  for (const auto& effect : told)
    for (const auto& each : std::get<tell_names>(effect).content.published)
      names += each.name;
  CHECK(told.size() == 3);
  CHECK(names == "abcde");
}

TEST_CASE("a message to a member that joins holds as many names as its bound allows, exactly") {
  // A letter, 40 bytes and a number of eight.
  constexpr std::size_t one_name = 49;
  for (auto [bound, messages] : {std::pair{2 * one_name, 2}, std::pair{2 * one_name - 1, 4}}) {
    name_table table{name_world::incarnation_of(0), {.max_message_bytes = bound}};
    name_effects ignored;
    for (const auto* name : {"a", "b", "c", "d"})
      CHECK(!table.publish(name, std::vector<std::byte>(40), ignored));
    name_effects told;
    table.member_joined(name_world::incarnation_of(1), session_id{1}, told);
    CHECK(told.size() == static_cast<std::size_t>(messages));
  }
}

TEST_CASE("names of other nodes do not count against this node's bound") {
  name_table table{name_world::incarnation_of(0), {.max_names = 2}};
  name_effects effects;
  auto member = name_world::incarnation_of(1);
  table.member_joined(member, session_id{1}, effects);
  table.received(
    member,
    {.session = session_id{1}, .withdrawn = {}, .published = {{"a", publish_number{1}, {}}}},
    effects);
  CHECK(!table.publish("b", {}, effects));
  CHECK(!table.publish("c", {}, effects));
  CHECK(table.publish("d", {}, effects));
}

// -- what cannot be -------------------------------------------------------------------------------

TEST_CASE("what no publisher would say of a name changes nothing, and is reported") {
  const std::vector<std::byte> payload(1);
  const std::vector<published_name> hostile{
    {"", publish_number{5}, payload},
    {std::string(257, 'n'), publish_number{5}, payload},
    {"index", publish_number{5}, std::vector<std::byte>(65'537)},
    {"index", publish_number{0}, payload}};
  for (const auto& name : hostile) {
    three_members world;
    world.hear(0, 1, {.session = {}, .withdrawn = {}, .published = {name}});
    CHECK(world.nodes[0].table->size() == 0);
    REQUIRE(world.nodes[0].ignored.size() == 1);
    CHECK(contains(world.nodes[0].ignored.front(),
                   "ignored a name of node " + to_string(name_world::incarnation_of(1))));
    // Numbers go on from where they were.
    CHECK(!world.publish(0, "index"));
    CHECK(!world.publish(0, "other"));
    world.run();
    CHECK(world.keeper(2, "index") == 0);
    CHECK(world.keeper(2, "other") == 0);
  }
}

TEST_CASE("a name that is taken back though it never was, or that comes twice, does no harm") {
  three_members world;
  CHECK(!world.publish(0, "mine"));
  world.run();
  world.hear(0, 1,
             {.session = {},
              .withdrawn = {{"mine", publish_number{1}}, {"none", publish_number{7}}, {"", {}}},
              .published = {{"twice", publish_number{9}, name_world::payload_of(1)},
                            {"twice", publish_number{9}, name_world::payload_of(1)}}});
  CHECK(world.keeper(0, "mine") == 0);
  CHECK(world.keeper(0, "twice") == 1);
  CHECK(world.nodes[0].ignored.empty());
}

TEST_CASE("a name that is taken back as of another time stays") {
  three_members world;
  CHECK(!world.publish(1, "index"));
  world.run();
  world.hear(0, 1, {.session = {}, .withdrawn = {{"index", publish_number{99}}}, .published = {}});
  CHECK(world.keeper(0, "index") == 1);
}

TEST_CASE("of many names that are ignored, the log has few") {
  three_members world;
  for (int times = 0; times < 5; ++times)
    world.hear(0, 1, {.session = {}, .withdrawn = {}, .published = {{"", publish_number{5}, {}}}});
  // The first, the second and the fourth.
  CHECK(world.nodes[0].ignored.size() == 3);
}

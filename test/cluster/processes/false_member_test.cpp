// Something that speaks CAF and knows all messages of a cluster, but not how to behave: what it
// says changes nothing, and the node goes on with others as before.

#include <chrono>
#include <cstdint>
#include <limits>

#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>

#include "mobula/actors/caf/sending.hpp"
#include "mobula/actors/caf/typed_interface.hpp"
#include "mobula/actors/reports/node_report.hpp"
#include "mobula/actors/wire/cluster_messages.hpp"
#include "mobula/actors/wire/name_messages.hpp"
#include "mobula/actors/wire/peer_messages.hpp"
#include "mobula/config.hpp"
#include "peer_process.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr auto largest = std::numeric_limits<std::uint64_t>::max();

/// What anybody may ask is all that is needed of the type.
using node_handle =
  caf::typed_actor<caf::replies_to<ask_report>::with<node_report>, takes<hello_envelope>>;

/// Says that it lives as often as nodes with short times want to hear it, and waits for them itself
/// as long as a loaded machine may take.
struct speaker_config : config {
  speaker_config() {
    load<caf::io::middleman>();
    set("mobula.heartbeat-interval", caf::timespan{std::chrono::milliseconds{100}});
    set("mobula.heartbeat-timeout", caf::timespan{std::chrono::seconds{60}});
  }
};

struct false_member {
  logging_peer home;
  speaker_config settings;
  caf::actor_system system{settings};
  caf::scoped_actor self{system};
  node_handle there;

  false_member() {
    auto port = static_cast<std::uint16_t>(std::stoi(home.port()));
    auto found = system.middleman().remote_actor<node_handle>("127.0.0.1", port);
    REQUIRE(found);
    there = *found;
  }

  template <class T>
  void say(T message) {
    send_to(caf::actor_cast<caf::strong_actor_ptr>(there), std::move(message),
            caf::actor_cast<caf::strong_actor_ptr>(self->address()));
  }

  /// Waits for what the node says, in bounds.
  template <class F>
  void hear(F handle) {
    self->receive(
      std::move(handle),
      caf::after(std::chrono::seconds{60}) >> [] { FAIL("the node said nothing for a minute"); });
  }

  /// Returns once the node has looked at all that was said, with what it holds.
  node_report settle() {
    node_report result;
    self->request(there, std::chrono::seconds{60}, ask_report{})
      .receive([&](node_report& report) { result = std::move(report); },
               [&](caf::error& error) { FAIL(system.render(error)); });
    return result;
  }

  static node_record record() {
    node_record result;
    result.incarnation = {.high = 7, .low = 7};
    result.name = "false";
    result.host = {.boot_id = "elsewhere", .user_id = 0, .mount_device = 0};
    result.process_id = 1;
    result.control = {{"127.0.0.1", 1}};
    return result;
  }

  static dialect spoken() {
    return dialect_of("test_" + std::to_string(::getpid()));
  }

  void say_hello(const node_record& self_description, session_id proposal) {
    say(seal(hello{.speaks = spoken(), .record = self_description, .proposal = proposal}));
  }

  /// Becomes a member, and returns the session.
  session_id greet() {
    say_hello(record(), session_id{1});
    session_id result{};
    hear([&](const welcome& message) { result = message.session; });
    return result;
  }

  /// The node is as good as new: another one joins, and gets a value.
  void check_in_order() {
    peer away;
    away.join(home);
    home.await_member(away);
    home.put("value", 3, 1'000);
    home.send("value", away);
    CHECK(away.read("value") == "3 3000");
    away.drop("value");
    home.drop("value");
    away.end();
  }
};

} // namespace

TEST_CASE_FIXTURE(false_member, "a stranger's handshake that cannot be makes no member") {
  auto nowhere = record();
  nowhere.control.clear();
  for (auto session : {session_id{0}, session_id{largest}, session_id{3}}) {
    say(welcome{record(), session, {}});
    say(welcome{nowhere, session, {{{}, {}}}});
    say(already_connected{record().incarnation, session});
    say(members_changed{session, {{{}, {}}}, {{}}});
    say(session_over{session});
    say(leave_cluster{session});
  }
  say(crossed{{}});
  say(crossed{record().incarnation});
  say(refused{join_refusal{200}, std::string(100'000, '\x1b')});
  say_hello(nowhere, session_id{1});
  say(hello_envelope{spoken(), std::vector<char>(1'000, '\xff')});
  say(hello_envelope{spoken(), {}});
  say_hello(record(), session_id{largest});
  CHECK(settle().members.empty());
  check_in_order();
  CHECK(home.lines_with("ignored a welcome of another node: its session is 0") == 1);
  CHECK(home.lines_with(
          "cannot make sense of what the joining node says of itself: it names no address")
        == 1);
}

TEST_CASE_FIXTURE(false_member, "what a member says of references, values and names may be wrong") {
  auto session = greet();
  REQUIRE(settle().members.size() == 1);
  std::vector<std::uint64_t> sequences{0, 1, 2, 2, largest};
  say(borrow_references{
    session,
    batch_number{largest},
    {{0, {}, {}}, {1, {7, 7}, transit_number{1}}, {largest, {1, 1}, transit_number{largest}}}});
  say(references_confirmed{session, batch_number{3}, sequences});
  say(transits_ended{session, {{0, transit_number{0}}, {largest, transit_number{largest}}}});
  say(return_references{session, {{1, 0}, {1, 4'294'967'295U}, {largest, 1}}});
  say(pass_barrier{session, barrier_number{largest}});
  say(barrier_passed{session, barrier_number{largest}});
  say(free_objects{session, sequences});
  for (auto form : {reply_form::bytes, reply_form::place, reply_form{200}})
    for (std::uint32_t limit : {0U, 1U, 4'294'967'295U})
      say(request_objects{session, form, limit, sequences});
  for (std::uint8_t outcome = 0; outcome < 8; ++outcome)
    say(object_replies{session,
                       {object_reply{.sequence = outcome,
                                     .outcome = reply_outcome{outcome},
                                     .metadata = {},
                                     .metadata_as_before = outcome % 2 == 0,
                                     .data = {},
                                     .types = {{std::string(10, 't'), codec_id{99}}},
                                     .nested_types = {7, 4'000'000'000U},
                                     .successors = {{9, {}}},
                                     .source = {}}}});
  say(objects_unpinned{session, sequences});
  say(report_copies{session, {{1, copy_ticket{largest}, copy_news{77}}, {0, {}, {}}}});
  say(keep_objects{session, sequences});
  say(objects_kept{session, sequences, sequences});
  say(names_changed{session,
                    {{"never", publish_number{1}}},
                    {{"", publish_number{1}, {}},
                     {"late", publish_number{largest}, {}},
                     {"twice", publish_number{2}, {}},
                     {"twice", publish_number{2}, {}}}});
  say(find_name{session, search_number{largest}, std::string(100'000, 'n')});
  say(name_found{session, search_number{1}, caf::make_message(1, 2)});
  say(members_changed{session, {{{}, {{"", 0}}}}, {{}}});
  auto report = settle();
  CHECK(report.members.size() == 1);
  CHECK(figure(report, "exported_objects") == 0);
  CHECK(figure(report, "borrowed_objects") == 0);
  check_in_order();
  CHECK(home.lines_with("ignored a name of node") == 1);
}

TEST_CASE_FIXTURE(false_member, "a lookup that does not wait ends when its publisher has nothing") {
  auto session = greet();
  say(names_changed{session, {}, {{"hollow", publish_number{1}, {}}}});
  REQUIRE(settle().members.size() == 1);
  home.say("lookup hollow 0");
  hear([&](const find_name& question) { say(name_found{session, question.search, {}}); });
  auto failure = home.await("failed ");
  CHECK(failure.starts_with("name_not_found"));
  CHECK(failure.find("publishes \"hollow\", but had nothing for it when it was asked; unpublish it")
        != std::string::npos);
}

TEST_CASE_FIXTURE(false_member, "a lookup goes on when who had nothing takes the name back") {
  auto session = greet();
  auto answer_with_nothing = [&] {
    hear([&](const find_name& question) { say(name_found{session, question.search, {}}); });
  };
  say(names_changed{session, {}, {{"hollow", publish_number{1}, {}}}});
  REQUIRE(settle().members.size() == 1);
  home.say("lookup hollow 60000");
  answer_with_nothing();
  peer away;
  away.join(home);
  home.await_member(away);
  away.put("hollow", 1, 10);
  // Behind the first, since its publisher's incarnation is greater.
  away.do_so("publish hollow");
  answer_with_nothing();
  say(names_changed{session, {{"hollow", publish_number{1}}}, {}});
  home.await("done");
  CHECK(home.read("hollow") == "1 10");
  home.drop("hollow");
  away.do_so("unpublish hollow");
  away.drop("hollow");
  away.end();
}

TEST_CASE_FIXTURE(false_member, "a publisher that has nothing for its name is asked for it once") {
  auto session = greet();
  say(names_changed{session, {}, {{"hollow", publish_number{1}, {}}}});
  REQUIRE(settle().members.size() == 1);
  home.say("lookup hollow 300");
  std::size_t asked = 0;
  hear([&](const find_name& question) {
    ++asked;
    say(name_found{session, question.search, {}});
  });
  CHECK(home.await("failed ").starts_with("name_not_found"));
  settle();
  self->receive([&](const find_name&) { ++asked; },
                caf::after(std::chrono::milliseconds{0}) >> [] {});
  CHECK(asked == 1);
}

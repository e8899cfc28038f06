// Names of a cluster: published on one node, looked up on others.

#include "mobula/actors/caf/typed_interface.hpp"
#include "post.hpp"

#include <future>
#include <memory>

#include <mobula/actors/wire/name_messages.hpp>

#include "../../contains.hpp"

using namespace mobula;
using namespace std::chrono_literals;
using test::contains;

namespace {

using counter_actor = caf::typed_actor<caf::replies_to<int>::with<int>>;
using greeter_actor = caf::typed_actor<caf::replies_to<std::string>::with<std::string>>;

counter_actor::behavior_type counter() {
  return {[](int number) {
    return number + 1;
  }};
}

/// Calls `f`, which must throw, and returns its error.
template <class F>
error_info failure_of(F f) {
  try {
    f();
  } catch (const object_error& error) {
    return error.info();
  }
  FAIL("nothing was thrown");
  return {};
}

} // namespace

TEST_CASE_FIXTURE(three_nodes, "a name leads to a reference on all nodes") {
  home.publish("motto", home.put("a text"));
  sim.run();
  for (auto* each : {&home, &away, &third})
    CHECK(each->get(each->lookup<std::string>("motto")).copy() == "a text");
  home.unpublish("motto");
}

TEST_CASE_FIXTURE(three_nodes, "a published object lives as long as its name") {
  home.publish("motto", home.put("a text"));
  CHECK(home.stats().owned.objects == 1);
  home.unpublish("motto");
  sim.run();
  CHECK(home.stats().owned.objects == 0);
}

TEST_CASE_FIXTURE(three_nodes, "a reference that was looked up outlives its name") {
  home.publish("motto", home.put("a text"));
  sim.run();
  auto ref = away.lookup<std::string>("motto");
  home.unpublish("motto");
  sim.run();
  CHECK(away.get(ref).copy() == "a text");
}

TEST_CASE_FIXTURE(three_nodes, "nodes that do not ask hold nothing of what is published") {
  home.publish("motto", home.put("a text"));
  sim.run();
  CHECK(home.stats().exported_objects == 0);
  CHECK(third.stats().borrowed_objects == 0);
  home.unpublish("motto");
}

TEST_CASE_FIXTURE(three_nodes, "a borrower may publish what it borrowed") {
  send_away(home.put("a text"));
  away.publish("motto", at_away.letters.at(0));
  at_away.clear();
  sim.run();
  CHECK(third.get(third.lookup<std::string>("motto")).copy() == "a text");
  away.unpublish("motto");
}

TEST_CASE_FIXTURE(three_nodes, "a name may stand for an object that is not there yet") {
  auto later = home.make_promise<std::string>();
  home.publish("later", later.ref());
  sim.run();
  auto ref = away.lookup<std::string>("later");
  CHECK(!ref.ready());
  later.set_value("a text");
  CHECK(away.get(ref).copy() == "a text");
  home.unpublish("later");
}

TEST_CASE_FIXTURE(three_nodes, "an unknown name is an error that names it") {
  auto failure = failure_of([&] { static_cast<void>(away.lookup<std::string>("motto")); });
  CHECK(failure.type == error_type::name_not_found);
  CHECK(contains(failure.message, "\"motto\""));
}

TEST_CASE_FIXTURE(three_nodes, "a lookup waits until somebody publishes the name") {
  auto publisher = sim.system().spawn([&](caf::event_based_actor* self) {
    self->delayed_send(self, 1s, 1);
    return caf::behavior{[&](int) {
      auto answer = std::make_shared<std::promise<std::optional<error_info>>>();
      caf::anon_send(home.core().cluster(),
                     publish_name{"motto", "text",
                                  caf::make_message(ObjectRef<void>{home.put("a text")}), answer});
    }};
  });
  CHECK(away.get(away.lookup<std::string>("motto", 1min)).copy() == "a text");
  caf::anon_send_exit(publisher, caf::exit_reason::user_shutdown);
  home.unpublish("motto");
  // The lookup's timer is not taken back.
  sim.advance(1min);
}

TEST_CASE_FIXTURE(three_nodes, "lookups with long limits that were answered leave no timer") {
  home.publish("motto", home.put("a text"));
  sim.run();
  for (int count = 0; count < 100; ++count)
    CHECK(away.get(away.lookup<std::string>("motto", 10h)).copy() == "a text");
  home.unpublish("motto");
  sim.run();
  CHECK(away.stats().timers == away.stats().peer_timers);
}

TEST_CASE_FIXTURE(three_nodes, "a lookup waits no longer than it was told") {
  auto begin = sim.now();
  auto failure = failure_of([&] { static_cast<void>(away.lookup<std::string>("motto", 3s)); });
  CHECK(failure.type == error_type::name_not_found);
  CHECK(contains(failure.message, "within 3000 ms"));
  CHECK(sim.now() - begin == 3s);
}

TEST_CASE_FIXTURE(three_nodes, "a name is gone when its publisher has crashed") {
  home.publish("motto", home.put("a text"));
  sim.run();
  sim.crash(home);
  sim.run();
  CHECK(failure_of([&] { static_cast<void>(away.lookup<std::string>("motto")); }).type
        == error_type::name_not_found);
  away.publish("motto", away.put("another text"));
  sim.run();
  CHECK(third.get(third.lookup<std::string>("motto")).copy() == "another text");
  away.unpublish("motto");
}

TEST_CASE_FIXTURE(three_nodes, "a name is known again when a cut has healed") {
  home.publish("motto", home.put("a text"));
  sim.run();
  sim.cut(home, away);
  sim.run();
  CHECK_THROWS_AS(static_cast<void>(away.lookup<std::string>("motto")), object_error);
  sim.heal(home, away);
  CHECK(away.get(away.lookup<std::string>("motto", 1s)).copy() == "a text");
  home.unpublish("motto");
}

TEST_CASE_FIXTURE(three_nodes, "a name that is taken cannot be published again") {
  home.publish("motto", home.put("a text"));
  sim.run();
  auto failure = failure_of([&] { away.publish("motto", away.put("another text")); });
  CHECK(failure.type == error_type::invalid_argument);
  CHECK(contains(failure.message, to_string(home.incarnation())));
  home.unpublish("motto");
}

TEST_CASE_FIXTURE(three_nodes, "of two that publish a name at the same time one keeps it") {
  // Neither has heard of the other's when both have published.
  sim.cut(home, away);
  sim.run();
  home.publish("motto", home.put("a text"));
  away.publish("motto", away.put("another text"));
  sim.heal(home, away);
  sim.run();
  auto seen = home.get(home.lookup<std::string>("motto")).copy();
  for (auto* each : {&away, &third})
    CHECK(each->get(each->lookup<std::string>("motto")).copy() == seen);
  CHECK(home.stats().owned.objects + away.stats().owned.objects == 1);
  for (auto* each : {&home, &away})
    each->unpublish("motto");
}

TEST_CASE_FIXTURE(three_nodes, "a name of another type is an error that names both types") {
  home.publish("motto", home.put("a text"));
  sim.run();
  auto failure = failure_of([&] { static_cast<void>(away.lookup<int>("motto")); });
  CHECK(failure.type == error_type::type_mismatch);
  CHECK(contains(failure.message, "an object of type string"));
  CHECK(failure_of([&] { static_cast<void>(away.lookup_actor("motto")); }).type
        == error_type::type_mismatch);
  home.unpublish("motto");
}

TEST_CASE_FIXTURE(three_nodes, "a name may be looked up without its type") {
  home.publish("motto", home.put("a text"));
  sim.run();
  auto ref = away.lookup<void>("motto").as<std::string>();
  CHECK(away.get(ref).copy() == "a text");
  home.unpublish("motto");
}

TEST_CASE_FIXTURE(three_nodes, "a name leads to an actor") {
  auto adder = sim.system().spawn(counter);
  home.publish("counter", adder);
  sim.run();
  auto found = away.lookup_actor<counter_actor>("counter");
  auto seen = 0;
  sim.system().spawn([&, found](caf::event_based_actor* self) {
    self->request(found, caf::infinite, 1).then([&](int number) { seen = number; });
  });
  sim.run();
  CHECK(seen == 2);
  home.unpublish("counter");
  // CAF keeps an actor that was sent to another node until it ends.
  caf::anon_send_exit(adder, caf::exit_reason::user_shutdown);
}

TEST_CASE_FIXTURE(three_nodes, "an actor that takes other messages is an error") {
  auto adder = sim.system().spawn(counter);
  home.publish("counter", adder);
  sim.run();
  CHECK(failure_of([&] { static_cast<void>(away.lookup_actor<greeter_actor>("counter")); }).type
        == error_type::type_mismatch);
  CHECK(failure_of([&] { static_cast<void>(away.lookup<int>("counter")); }).type
        == error_type::type_mismatch);
  home.unpublish("counter");
  // CAF keeps an actor that was sent to another node until it ends.
  caf::anon_send_exit(adder, caf::exit_reason::user_shutdown);
}

TEST_CASE_FIXTURE(three_nodes, "a reference of another node cannot be published") {
  CHECK(failure_of([&] { home.publish("motto", away.put("a text")); }).type
        == error_type::invalid_argument);
}

TEST_CASE("names lead to what was published, and leave nothing, whatever is cut") {
  testing::for_each_seed(1, 100, post_settings, [](testing::simulation& sim) {
    std::vector<node*> nodes{&sim.add_node(), &sim.add_node(), &sim.add_node()};
    sim.connect_all();
    auto any = [&](std::size_t count) {
      return static_cast<std::size_t>(sim.random()() % count);
    };
    // Under which name, and what.
    std::vector<std::pair<std::string, std::string>> seen;
    for (int step = 0; step < 40; ++step) {
      auto& actor = *nodes[any(3)];
      auto& other = *nodes[any(3)];
      auto name = std::string(1, static_cast<char>('a' + any(3)));
      try {
        if (auto choice = any(5); choice == 0)
          actor.publish(name, actor.put(name));
        else if (choice == 1)
          actor.unpublish(name);
        else if (choice == 2 && &actor != &other)
          sim.cut(actor, other);
        else if (choice == 3 && &actor != &other)
          sim.heal(actor, other);
        else
          seen.emplace_back(name, actor.get(actor.lookup<std::string>(name)).copy());
      } catch (const object_error& error) {
        auto type = error.type();
        CHECK((type == error_type::name_not_found || type == error_type::invalid_argument
               || type == error_type::owner_died));
      }
      for (auto steps = any(20); steps > 0 && sim.run_one_randomly();)
        --steps;
    }
    for (const auto& [name, text] : seen)
      CHECK(text == name);
    for (auto* each : nodes)
      for (auto* name : {"a", "b", "c"})
        each->unpublish(name);
    sim.check_invariants();
    CHECK(sim.leftovers() == "");
  });
}

TEST_CASE_FIXTURE(three_nodes, "a lookup with less than no time ends at once") {
  auto answer = std::make_shared<std::promise<name_answer>>();
  auto result = answer->get_future();
  caf::anon_send(home.core().cluster(), lookup_name{"none", -1ns, std::move(answer)});
  sim.run();
  REQUIRE(result.wait_for(0s) == std::future_status::ready);
  auto failure = std::get<error_info>(result.get());
  CHECK(failure.type == error_type::name_not_found);
  CHECK(contains(failure.message, "give the lookup time"));
}

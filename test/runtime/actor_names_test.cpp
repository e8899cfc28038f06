// Names on a node that is in no cluster, and in actors.

#include "mobula/actors/caf/typed_interface.hpp"
#include "one_node.hpp"

using namespace mobula;
using namespace std::chrono_literals;

namespace {

using text_ref = ObjectRef<std::string>;
using counting_actor = caf::typed_actor<caf::replies_to<int>::with<int>>;

counting_actor::behavior_type counting() {
  return {[](int number) {
    return number + 1;
  }};
}

/// Runs `body` in an actor that lives until the end of its scope.
struct runner {
  template <class F>
  runner(testing::simulation& sim, F body)
    : actor(sim.system().spawn([body](caf::event_based_actor* self) {
        body(self);
        return caf::behavior{[](int) {
        }};
      })) {
    sim.run();
  }

  ~runner() {
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  }

  caf::actor actor;
};

coroutine hand_over(caf::event_based_actor* self, node& where, text_ref first, text_ref second,
                    std::vector<std::string>& seen) {
  co_await publish(self, where, "motto", first);
  auto found = co_await lookup<std::string>(self, where, "motto");
  seen.push_back((co_await found).copy());
  co_await republish(self, where, "motto", second);
  found = co_await lookup<std::string>(self, where, "motto");
  seen.push_back((co_await found).copy());
  co_await unpublish(self, where, "motto");
  try {
    co_await lookup<std::string>(self, where, "motto");
  } catch (const object_error& error) {
    seen.emplace_back(to_string(error.type()));
  }
}

} // namespace

TEST_CASE_FIXTURE(one_node, "a node in no cluster has names of its own") {
  node.publish("motto", node.put("a text"));
  CHECK(node.get(node.lookup<std::string>("motto")).copy() == "a text");
  CHECK(error_of([&] { node.publish("motto", node.put("another")); })
        == error_type::invalid_argument);
  node.unpublish("motto");
  CHECK(error_of([&] { static_cast<void>(node.lookup<std::string>("motto")); })
        == error_type::name_not_found);
}

TEST_CASE_FIXTURE(one_node, "a node that only has names is in no cluster and drains nothing") {
  node.publish("motto", node.put("a text"));
  CHECK(error_of([&] { static_cast<void>(node.drain(1s)); }) == error_type::invalid_argument);
  node.unpublish("motto");
  node.shutdown();
  CHECK(error_of([&] { static_cast<void>(node.drain(1s)); }) == error_type::shutting_down);
}

TEST_CASE_FIXTURE(one_node, "what can be no name is looked up by nobody") {
  for (const auto& name : {std::string{}, std::string(257, 'n'), std::string(1'000'000, 'n')}) {
    auto look_up = [&] {
      static_cast<void>(node.lookup<std::string>(name, 1h));
    };
    CHECK(error_of(look_up) == error_type::invalid_argument);
    CHECK(message_of(look_up).size() < 200);
  }
  CHECK(error_of([&] { static_cast<void>(node.lookup<std::string>(std::string(256, 'n'))); })
        == error_type::name_not_found);
}

TEST_CASE("names of a node that joins later become the cluster's") {
  testing::simulation sim;
  auto& home = sim.add_node();
  home.publish("motto", home.put("a text"));
  auto& away = sim.add_node();
  sim.connect_all();
  CHECK(away.get(away.lookup<std::string>("motto", 1s)).copy() == "a text");
  home.unpublish("motto");
  CHECK(sim.leftovers() == "");
}

TEST_CASE_FIXTURE(one_node, "republishing lets a name stand for something else") {
  node.republish("motto", node.put("first"));
  node.republish("motto", node.put("second"));
  CHECK(node.get(node.lookup<std::string>("motto")).copy() == "second");
  CHECK(node.stats().owned.objects == 1);
  auto worker = sim.system().spawn(counting);
  node.republish("motto", worker);
  CHECK(node.lookup_actor<counting_actor>("motto") == worker);
  CHECK(node.stats().owned.objects == 0);
  node.unpublish("motto");
  caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
}

TEST_CASE_FIXTURE(one_node, "an actor publishes and looks up with handlers") {
  std::string seen;
  runner one{sim, [&](caf::event_based_actor* self) {
               publish(self, node, "motto", node.put("a text")).then([&, self] {
                 lookup<std::string>(self, node, "motto").then([&, self](const text_ref& found) {
                   get(self, found).then([&](const view<std::string>& text) { seen = *text; });
                 });
               });
             }};
  CHECK(seen == "a text");
  node.unpublish("motto");
}

TEST_CASE_FIXTURE(one_node,
                  "a lookup of an actor has one handler, and none once it was moved from") {
  node.publish("motto", node.put("a text"));
  auto twice = error_type::worker_died;
  auto moved_from = error_type::worker_died;
  std::string reason;
  int answers = 0;
  runner one{sim, [&](caf::event_based_actor* self) {
               auto count = [&](const text_ref&) {
                 ++answers;
               };
               auto request = lookup<std::string>(self, node, "motto");
               auto other = std::move(request);
               moved_from = error_of([&] { request.then(count); });
               reason = message_of([&] { request.await(count); });
               other.then(count);
               twice = error_of([&] { other.await(count); });
             }};
  CHECK(moved_from == error_type::invalid_argument);
  CHECK(reason.find("was moved from") != std::string::npos);
  CHECK(twice == error_type::invalid_argument);
  CHECK(answers == 1);
  node.unpublish("motto");
}

TEST_CASE_FIXTURE(one_node, "an actor's lookup waits until somebody publishes the name") {
  std::string seen;
  runner one{sim, [&](caf::event_based_actor* self) {
               lookup<std::string>(self, node, "motto", 1h).then([&, self](const text_ref& found) {
                 get(self, found).then([&](const view<std::string>& text) { seen = *text; });
               });
             }};
  CHECK(seen.empty());
  node.publish("motto", node.put("a text"));
  sim.run();
  CHECK(seen == "a text");
  node.unpublish("motto");
}

TEST_CASE_FIXTURE(one_node, "an actor that looks up what is not there gets an error") {
  error_info failure;
  error_info mismatch;
  node.publish("motto", node.put("a text"));
  runner one{sim, [&](caf::event_based_actor* self) {
               lookup<std::string>(self, node, "none")
                 .then([](const text_ref&) {},
                       [&](caf::error& reason) { failure = to_error_info(reason); });
               lookup_actor<counting_actor>(self, node, "motto")
                 .then([](const counting_actor&) {},
                       [&](caf::error& reason) { mismatch = to_error_info(reason); });
             }};
  CHECK(failure.type == error_type::name_not_found);
  CHECK(mismatch.type == error_type::type_mismatch);
  node.unpublish("motto");
}

TEST_CASE_FIXTURE(one_node, "an actor that publishes a name twice gets an error") {
  error_info failure;
  node.publish("motto", node.put("a text"));
  runner one{sim, [&](caf::event_based_actor* self) {
               publish(self, node, "motto", node.put("another"))
                 .then([] {}, [&](caf::error& reason) { failure = to_error_info(reason); });
             }};
  CHECK(failure.type == error_type::invalid_argument);
  node.unpublish("motto");
}

TEST_CASE_FIXTURE(one_node, "a coroutine publishes, republishes, looks up and takes back") {
  std::vector<std::string> seen;
  runner one{sim, [&](caf::event_based_actor* self) {
               hand_over(self, node, node.put("first"), node.put("second"), seen);
             }};
  CHECK(seen == std::vector<std::string>{"first", "second", "name_not_found"});
}

TEST_CASE("an actor whose lookup waits is told when the node shuts down") {
  testing::simulation sim;
  auto& node = sim.add_node();
  error_info failure;
  runner one{sim, [&](caf::event_based_actor* self) {
               lookup<std::string>(self, node, "never", 1h)
                 .then([](const text_ref&) {},
                       [&](caf::error& reason) { failure = to_error_info(reason); });
             }};
  node.shutdown();
  sim.run();
  CHECK(failure.type == error_type::shutting_down);
}

TEST_CASE("an actor that asks a node that has shut down gets an exception") {
  testing::simulation sim;
  auto& node = sim.add_node();
  node.shutdown();
  auto thrown = error_type::worker_died;
  runner one{sim, [&](caf::event_based_actor* self) {
               thrown = error_of(
                 [&] { lookup<std::string>(self, node, "motto").then([](const text_ref&) {}); });
             }};
  CHECK(thrown == error_type::shutting_down);
}

TEST_CASE_FIXTURE(one_node, "a node that has shut down is not asked what an actor takes") {
  auto worker = sim.system().spawn(counting);
  node.shutdown();
  CHECK(error_of([&] { static_cast<void>(node.describe(worker)); }) == error_type::shutting_down);
  CHECK(error_of([&] { node.publish("motto", worker); }) == error_type::shutting_down);
  CHECK(error_of([&] { static_cast<void>(node.lookup_actor<counting_actor>("motto")); })
        == error_type::shutting_down);
  std::vector<error_type> thrown;
  runner one{sim, [&](caf::event_based_actor* self) {
               auto note = [&](auto make) {
                 thrown.push_back(error_of([&] { static_cast<void>(make()); }));
               };
               note([&] { return publish(self, node, "motto", worker); });
               note([&] { return republish(self, node, "motto", worker); });
               note([&] { return lookup_actor<counting_actor>(self, node, "motto"); });
             }};
  CHECK(thrown == std::vector(3, error_type::shutting_down));
  caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
}

// Nodes of which a service dies: what those get that wait, and how such a node ends.

#include "mobula/actors/caf/sending.hpp"
#include "one_node.hpp"

#include <filesystem>
#include <future>
#include <optional>

#include "mobula/actors/wire/name_messages.hpp"

using namespace mobula;
using namespace std::literals;

namespace {

/// Two nodes that know each other, of which one is about to break, and who waits for it.
struct breaking_node {
  testing::simulation sim;
  mobula::node& node = sim.add_node();
  mobula::node& other = sim.add_node();
  promise<int> open = node.make_promise<int>();
  error_type seen = error_type::worker_died;

  breaking_node() {
    sim.connect(node, other);
    sim.system().spawn([this](caf::event_based_actor* self) {
      get(self, open.ref())
        .then([](const view<int>&) { FAIL("there is no value"); },
              [this](caf::error& error) { seen = to_error_info(error).type; });
    });
    sim.run();
  }

  void kill(const caf::strong_actor_ptr& service) {
    caf::anon_send_exit(service, caf::exit_reason::kill);
    sim.run();
  }

  template <class Service>
  void kill(const Service& service) {
    kill(caf::actor_cast<caf::strong_actor_ptr>(service));
  }

  void check_failed() {
    CHECK(seen == error_type::node_died);
    CHECK(error_of([&] { static_cast<void>(node.put(1)); }) == error_type::node_died);
    CHECK(error_of([&] { static_cast<void>(node.put(std::string(300'000, 'x'))); })
          == error_type::node_died);
    CHECK(error_of([&] { static_cast<void>(node.get(open.ref())); }) == error_type::node_died);
    auto began = sim.now();
    node.shutdown();
    CHECK(node.core().services_gone());
    CHECK(sim.now() == began);
    CHECK_FALSE(std::filesystem::exists(node.core().arena().path()));
  }
};

} // namespace

TEST_CASE_FIXTURE(breaking_node, "a service that dies takes its node with it, which still ends") {
  SUBCASE("cluster actor") {
    kill(node.core().cluster());
  }
  SUBCASE("transfers") {
    kill(node.core().transfers());
  }
  SUBCASE("reference counter") {
    kill(node.core().counter());
  }
  SUBCASE("owner") {
    kill(node.core().owner());
  }
  SUBCASE("store shard") {
    kill(node.core().shards().front());
  }
  SUBCASE("spill manager") {
    kill(node.core().spill_manager());
  }
  check_failed();
}

TEST_CASE_FIXTURE(breaking_node, "an entry is there as long as its shard, also without an owner") {
  auto ref = node.put(std::string(300'000, 'x'));
  sim.run();
  copy_pointer copy{ref.entry().copy()};
  auto& stripe = ref.entry().stripe();
  auto others = stripe.live() - 1;
  caf::anon_send_exit(caf::actor_cast<caf::strong_actor_ptr>(node.core().owner()),
                      caf::exit_reason::kill);
  while (!node.core().closing())
    REQUIRE(sim.run_one());
  ref = {};
  while (stripe.live() > others)
    REQUIRE(sim.run_one());
  // The shard has let go of the copy.
  CHECK_FALSE(copy->pins.try_pin());
}

TEST_CASE_FIXTURE(breaking_node, "the errors of a failed node name what was thrown") {
  auto answer = std::make_shared<std::promise<std::optional<error_info>>>();
  answer->set_value(std::nullopt);
  caf::anon_send(node.core().cluster(), publish_name{"name", {}, {}, answer});
  sim.run();
  auto text = message_of([&] { static_cast<void>(node.put(1)); });
  CHECK(text.find("cluster actor ended by an exception: std::future_error") != std::string::npos);
  check_failed();
}

TEST_CASE("a put that waits for space when its node fails is told why") {
  testing::simulation sim;
  auto options = sim.default_options();
  options.heap_limit_bytes = 64 << 10;
  auto& small = sim.add_node(std::move(options));
  auto put = [&] {
    return small.put(std::string(3'000, 'x'));
  };
  std::vector<ObjectRef<std::string>> held;
  while (small.stats().heap_bytes + 3'000 <= small.options().heap_limit_bytes)
    held.push_back(put());
  auto killer = sim.system().spawn([&](caf::event_based_actor* self) {
    return caf::behavior{[&, self](int) {
      caf::anon_send_exit(caf::actor_cast<caf::strong_actor_ptr>(small.core().heap_keeper()),
                          caf::exit_reason::kill);
      self->quit();
    }};
  });
  caf::delayed_anon_send(killer, 1s, 0);
  CHECK(error_of([&] { static_cast<void>(put()); }) == error_type::node_died);
}

TEST_CASE_FIXTURE(one_node, "services heed neither errors nor demands to exit") {
  for (const auto& service :
       {caf::actor_cast<caf::strong_actor_ptr>(node.core().owner()),
        caf::actor_cast<caf::strong_actor_ptr>(node.core().counter()),
        caf::actor_cast<caf::strong_actor_ptr>(node.core().shards().front()),
        caf::actor_cast<caf::strong_actor_ptr>(node.core().spill_manager())}) {
    caf::anon_send_exit(service, caf::exit_reason::user_shutdown);
    send_to(service, caf::make_error(caf::sec::runtime_error));
  }
  sim.run();
  CHECK(*node.get(node.put(1)) == 1);
}

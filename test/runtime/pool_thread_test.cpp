// What blocks on the threads that actors share is refused; the actors here have one such thread, so
// that waiting on it would be for ever.

#include <future>

#include "mobula/actors/caf/caf_options.hpp"

#include "../contains.hpp"
#include "one_node.hpp"

using namespace mobula;
using namespace std::chrono_literals;
using test::contains;

namespace {

struct one_thread {
  config settings;
  std::optional<caf::actor_system> system;
  std::optional<mobula::node> node;

  explicit one_thread(const char* policy = "sharing") {
    settings.set(caf_options::scheduler_threads, std::size_t{1});
    settings.set(caf_options::scheduler_policy, caf_options::word(policy));
    settings.set("mobula.store-size", std::string{"16MiB"});
    system.emplace(settings);
    node.emplace(*system);
  }

  /// Runs `body` in an actor, and returns the message of the error that it throws; nothing if it
  /// throws none.
  template <caf::spawn_options Options, class F>
  std::string in_actor(F body) {
    std::promise<std::string> ended;
    auto result = ended.get_future();
    system->spawn<Options>([&](caf::event_based_actor*) {
      try {
        body();
        ended.set_value({});
      } catch (const object_error& error) {
        ended.set_value(error.type() == error_type::invalid_argument ? error.info().message
                                                                     : "another error");
      }
    });
    return result.get();
  }

  template <class F>
  std::string on_pool(F body) {
    return in_actor<caf::no_spawn_options>(std::move(body));
  }
};

} // namespace

TEST_CASE("members that block throw on the threads that actors share, and name the actors' form") {
  for (const auto* policy : {"sharing", "stealing"}) {
    CAPTURE(policy);
    one_thread on{policy};
    auto& node = *on.node;
    auto open = node.make_promise<int>();
    auto ref = open.ref();
    CHECK(
      contains(on.on_pool([&] { static_cast<void>(node.get(ref)); }), "mobula::get(self, ref)"));
    CHECK(contains(on.on_pool([&] { static_cast<void>(node.try_get(ref, 1h)); }), "mobula::get"));
    CHECK(
      contains(on.on_pool([&] { static_cast<void>(node.get_all(std::vector{ref})); }), "get_all"));
    CHECK(contains(on.on_pool([&] { static_cast<void>(node.wait(std::vector{ref}, 1)); }), "wait"));
    CHECK(contains(on.on_pool([&] { node.publish("name", ref); }), "mobula::publish(self, node"));
    CHECK(contains(on.on_pool([&] { static_cast<void>(node.lookup<int>("name")); }), "lookup"));
    CHECK(contains(on.on_pool([&] { node.unpublish("name"); }), "mobula/names.hpp"));
    CHECK(contains(on.on_pool([&] { static_cast<void>(node.stats()); }), "caf::detached"));
    CHECK(contains(on.on_pool([&] { node.shutdown(); }), "the thread that made the node"));
    cluster place{node};
    CHECK(contains(on.on_pool([&] { place.listen("127.0.0.1", 0); }), "cluster::listen"));
    CHECK(contains(on.on_pool([&] { place.join("127.0.0.1", 1); }), "cluster::join"));
    CHECK(contains(on.on_pool([&] { static_cast<void>(place.members()); }), "cluster::watch"));
    CHECK(contains(on.on_pool([&] { place.leave(); }), "cluster::leave"));
    CHECK(contains(on.on_pool([&] {
      stop_signal stop;
      stop.wait();
    }),
                   "stop_signal::wait"));
  }
}

TEST_CASE_FIXTURE(one_thread,
                  "what is there can be read on any thread, and so can what is asked now") {
  auto there = node->put(42);
  auto open = node->make_promise<int>();
  CHECK(on_pool([&] { CHECK(*node->get(there) == 42); }).empty());
  CHECK(on_pool([&] { CHECK(!node->try_get(open.ref(), 0s)); }).empty());
  CHECK(on_pool([&] { CHECK(node->wait(std::vector{there}, 1).ready.size() == 1); }).empty());
}

TEST_CASE_FIXTURE(one_thread, "detached actors have threads of their own, and may wait") {
  auto open = node->make_promise<int>();
  std::promise<void> waits;
  auto begun = waits.get_future();
  auto setter = std::async(std::launch::async, [&] {
    begun.wait();
    open.set_value(42);
  });
  auto failure = in_actor<caf::detached>([&] {
    waits.set_value();
    CHECK(*node->get(open.ref()) == 42);
    node->publish("name", node->put(1));
    CHECK(*node->get(node->lookup<int>("name")) == 1);
    node->unpublish("name");
  });
  CHECK(failure.empty());
}

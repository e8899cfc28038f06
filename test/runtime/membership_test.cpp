// Nodes in processes of their own on loopback: they join, leave, are killed and stopped.

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include <caf/io/middleman.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <mobula/mobula.hpp>

#include "../actors/raw_socket.hpp"
#include "../temporary_directory.hpp"
#include "member_process.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

/// Heartbeats fast enough for a test; the timeout leaves room for a loaded machine.
const std::vector<std::string> quick_hearts{"--mobula.heartbeat-interval=100ms",
                                            "--mobula.heartbeat-timeout=2s"};

/// Three processes that have met: the others joined through the first.
struct three_processes {
  explicit three_processes(const std::vector<std::string>& options = {})
    : first(options), second(options), third(options) {
    for (auto* each : {&first, &second, &third})
      each->listen();
    second.join(first);
    third.join(first);
    for (auto* each : {&first, &second, &third})
      for (auto* other : {&first, &second, &third})
        if (each != other)
          each->await_member(*other);
  }

  member_process first;
  member_process second;
  member_process third;
};

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("three processes that join through one of them all see each other") {
  three_processes nodes;
}

TEST_CASE("a process that is killed is reported by all others") {
  three_processes nodes;
  nodes.second.signal(SIGKILL);
  CHECK(nodes.first.await_loss(nodes.second) == "connection lost");
  CHECK(nodes.third.await_loss(nodes.second) == "connection lost");
}

TEST_CASE("a node that took the place of a killed one is found by those that lost it") {
  three_processes nodes;
  nodes.second.signal(SIGKILL);
  nodes.first.await_loss(nodes.second);
  member_process successor;
  successor.listen(nodes.second.port());
  nodes.first.await_member(successor);
  nodes.third.await_member(successor);
}

TEST_CASE(
  "a process that is stopped for longer than the heartbeat counts as dead, until it goes on") {
  three_processes nodes{quick_hearts};
  nodes.second.signal(SIGSTOP);
  CHECK(nodes.first.await_loss(nodes.second) == "connection lost");
  CHECK(nodes.third.await_loss(nodes.second) == "connection lost");
  nodes.second.signal(SIGCONT);
  nodes.second.await_loss(nodes.first);
  for (auto* each : {&nodes.first, &nodes.third}) {
    each->await_member(nodes.second);
    nodes.second.await_member(*each);
  }
}

TEST_CASE("a node that leaves says so to all") {
  three_processes nodes;
  nodes.second.say("leave");
  nodes.second.await("left");
  CHECK(nodes.first.await_loss(nodes.second) == "left");
  CHECK(nodes.third.await_loss(nodes.second) == "left");
}

TEST_CASE("joining twice is no error") {
  three_processes nodes;
  nodes.second.join(nodes.first);
  nodes.second.join(nodes.third);
}

TEST_CASE("a node that joins without listening listens by itself") {
  member_process first;
  member_process second;
  first.listen();
  second.join(first);
  first.await_member(second);
}

TEST_CASE("options make nodes listen and join") {
  member_process first{{"--mobula.listen=127.0.0.1:0"}};
  auto port = first.follow_options();
  member_process second{{"--mobula.join=127.0.0.1:" + port}};
  second.follow_options();
  member_process third{{"--mobula.listen=127.0.0.1:0", "--mobula.join=localhost:" + port}};
  CHECK(third.follow_options() != "0");
}

TEST_CASE("a node of another cluster is refused with both names") {
  member_process first;
  member_process second{{"--mobula.cluster=other"}};
  first.listen();
  auto text = second.fail("join 127.0.0.1:" + first.port());
  CHECK(contains(text, "invalid_argument cannot join through 127.0.0.1:" + first.port()));
  CHECK(contains(text, R"(, the joining node to "other"; set mobula.cluster)"));
}

TEST_CASE("two nodes with one seed are told so") {
  member_process first{{"--mobula.seed=7"}};
  // As on another host: on this one, it could not even make its arena.
  test::temporary_directory elsewhere{"/dev/shm"};
  member_process second{{"--mobula.seed=7", "--mobula.arena-dir=" + elsewhere.path().string()}};
  first.listen();
  CHECK(contains(second.fail("join 127.0.0.1:" + first.port()), "mobula.seed"));
}

TEST_CASE("joining oneself is an error that says so") {
  member_process node;
  node.listen();
  CHECK(contains(node.fail("join 127.0.0.1:" + node.port()), "is this node itself"));
}

TEST_CASE("a port in use is an error that names it") {
  member_process first;
  member_process second;
  first.listen();
  auto text = second.fail("listen 127.0.0.1:" + first.port());
  CHECK(contains(text, "127.0.0.1:" + first.port() + ": the port is in use"));
}

TEST_CASE("an address of another host cannot be listened at") {
  member_process node;
  CHECK(contains(node.fail("listen 192.0.2.1:0"), "give an address of this host"));
}

TEST_CASE("joining where nobody listens fails after some tries") {
  member_process node;
  member_process gone;
  gone.listen();
  gone.signal(SIGKILL);
  auto text = node.fail("join 127.0.0.1:" + gone.port());
  CHECK(contains(text, "node_died"));
  CHECK(contains(text, "nobody answers at 127.0.0.1:" + gone.port()));
  CHECK(contains(text, "tried 8 times"));
}

TEST_CASE("a name that does not resolve is an error that names it") {
  member_process node;
  CHECK(contains(node.fail("join no.such.host.invalid:1"),
                 R"(cannot resolve the name "no.such.host.invalid")"));
}

TEST_CASE("nodes of one actor system join each other like any others") {
  config settings;
  settings.load<caf::io::middleman>();
  caf::actor_system system{settings};
  node first{system};
  node second{system};
  cluster first_place{first};
  cluster second_place{second};
  second_place.join("127.0.0.1", first_place.listen("127.0.0.1", 0));
  REQUIRE(second_place.members().size() == 1);
  CHECK(second_place.members().front().record.incarnation == first.incarnation());
}

TEST_CASE("a system without CAF's middleman cannot listen, and says what to load") {
  config settings;
  caf::actor_system system{settings};
  node alone{system};
  cluster place{alone};
  CHECK_THROWS_WITH_AS(place.listen("127.0.0.1", 0), doctest::Contains("load<caf::io::middleman>"),
                       object_error);
  CHECK(place.members().empty());
}

TEST_CASE("a node joins nobody if what it lost goes before others know that it is lost") {
  config settings;
  settings.load<caf::io::middleman>();
  settings.set("mobula.heartbeat-timeout", caf::timespan{std::chrono::seconds{40}});
  caf::actor_system system{settings};
  node hasty{system}; // Its grace period is the default of 30 s.
  cluster place{hasty};
  for (auto enter : {+[](cluster& at) { at.listen("127.0.0.1", 0); },
                     +[](cluster& at) {
                       at.join("127.0.0.1", 1);
                     }})
    CHECK_THROWS_WITH_AS(enter(place), doctest::Contains("mobula.grace-period is 30s"),
                         object_error);
}

TEST_CASE("a command line with such a grace period is refused where nodes join others") {
  member_process hasty{{"--mobula.grace-period=5s"}};
  CHECK(contains(hasty.fail("listen 127.0.0.1:0"), "mobula.grace-period is 5s"));
}

TEST_CASE("a node that has left does not join again") {
  config settings;
  settings.load<caf::io::middleman>();
  caf::actor_system system{settings};
  node alone{system};
  cluster place{alone};
  place.listen("127.0.0.1", 0);
  place.leave();
  CHECK_THROWS_WITH_AS(place.join("127.0.0.1", 1), doctest::Contains("has left its cluster"),
                       object_error);
}

// -- within one process ---------------------------------------------------------------------------

namespace {

/// Two nodes of one actor system, and the place of each among others.
struct two_nodes {
  struct network_config : config {
    network_config() {
      load<caf::io::middleman>();
      set("mobula.store-size", std::string{"16MiB"});
    }
  };

  network_config settings;
  std::optional<caf::actor_system> system{settings};
  std::optional<node> first{*system};
  std::optional<node> second{*system};
  std::optional<cluster> first_place{*first};
  std::optional<cluster> second_place{*second};

  void meet() {
    second_place->join("127.0.0.1", first_place->listen("127.0.0.1", 0));
  }

  static error_type type_of(const std::function<void()>& f) {
    try {
      f();
    } catch (const object_error& error) {
      return error.type();
    }
    FAIL("no object_error was thrown");
    return {};
  }
};

} // namespace

TEST_CASE_FIXTURE(two_nodes, "a node and its actor system end while a dial is under way") {
  auto silent = raw_socket::listen_anywhere();
  first_place->listen("127.0.0.1", 0);
  std::thread caller{[&] {
    CHECK_THROWS_AS(first_place->join("127.0.0.1", silent.port()), object_error);
  }};
  // Says nothing: the handshake is not answered.
  auto dialed = silent.accept();
  first->shutdown();
  caller.join();
  first_place.reset();
  second_place.reset();
  first.reset();
  second.reset();
  system.reset();
}

TEST_CASE("short lives all end, though nodes end while others join them") {
  const auto* asked = std::getenv("MOBULA_ROUNDS");
  auto rounds = asked != nullptr ? std::atoi(asked) : 10;
  for (int round = 0; round < rounds; ++round) {
    two_nodes nodes;
    auto port = nodes.first_place->listen("127.0.0.1", 0);
    std::thread caller{[&] {
      try {
        nodes.second_place->join("127.0.0.1", port);
      } catch (const object_error&) {
        // One of the two was faster.
      }
    }};
    nodes.first->shutdown();
    nodes.second->shutdown();
    caller.join();
  }
}

TEST_CASE_FIXTURE(two_nodes, "a node that has left listens at no port") {
  CHECK(first_place->port() == 0);
  auto port = first_place->listen("127.0.0.1", 0);
  CHECK(first_place->port() == port);
  first_place->leave();
  CHECK(first_place->port() == 0);
}

TEST_CASE_FIXTURE(two_nodes, "a watcher that throws ends nothing, and is called again") {
  int calls = 0;
  first_place->listen("127.0.0.1", 0);
  first_place->watch([&](const member_event&) {
    ++calls;
    throw std::runtime_error{"no"};
  });
  second_place->join("127.0.0.1", first_place->port());
  CHECK(first_place->members().size() == 1);
  second_place->leave();
  while (!first_place->members().empty())
    std::this_thread::yield();
  CHECK(calls == 2);
  first->shutdown();
}

TEST_CASE_FIXTURE(two_nodes, "a watcher that would wait for its node's actors is told not to") {
  meet();
  const std::vector<std::function<void()>> calls{
    [&] { static_cast<void>(first_place->members()); },
    [&] { first_place->join("127.0.0.1", second_place->port()); },
    [&] { first_place->leave(); },
    [&] { static_cast<void>(first->stats()); },
    [&] { static_cast<void>(first->drain(std::chrono::seconds{1})); },
    [&] { static_cast<void>(first->lookup<int>("name")); },
    [&] { first->publish("name", first->put(1)); },
    [&] { first->unpublish("name"); },
    [&] { first->shutdown(); },
  };
  std::promise<std::vector<error_type>> seen;
  first_place->watch([&](const member_event& event) {
    if (event.left)
      return;
    std::vector<error_type> types;
    for (const auto& call : calls)
      types.push_back(type_of(call));
    seen.set_value(types);
  });
  CHECK(seen.get_future().get()
        == std::vector<error_type>(calls.size(), error_type::invalid_argument));
  CHECK(first_place->members().size() == 1);
}

namespace {

/// Two nodes that have met, and a watcher that holds up an actor of the first for as long as the
/// test takes.
struct held_up_node : two_nodes {
  struct hold {
    std::atomic<bool> used = false;
    std::promise<void> entered;
    std::promise<void> released;
  };

  std::shared_ptr<hold> held = std::make_shared<hold>();

  held_up_node() {
    meet();
    first_place->watch([held = held](const member_event&) {
      if (held->used.exchange(true))
        return;
      held->entered.set_value();
      held->released.get_future().wait();
    });
    held->entered.get_future().wait();
  }

  ~held_up_node() {
    held->released.set_value();
  }
};

} // namespace

TEST_CASE_FIXTURE(held_up_node, "a limit holds though the actor that should keep it is held up") {
  auto limit = std::chrono::milliseconds{100};
  std::thread asker{[&] {
    CHECK(type_of([&] { static_cast<void>(first->lookup<int>("name", limit)); })
          == error_type::get_timed_out);
  }};
  CHECK(type_of([&] { static_cast<void>(first->drain(limit)); }) == error_type::get_timed_out);
  asker.join();
}

TEST_CASE_FIXTURE(held_up_node,
                  "who waits for an actor that is held up goes on when its node ends") {
  std::vector<std::thread> askers;
  askers.emplace_back([&] { CHECK(first->stats().owned.objects == 0); });
  askers.emplace_back([&] { CHECK(first_place->members().empty()); });
  askers.emplace_back([&] {
    CHECK(type_of([&] { first_place->join("127.0.0.1", second_place->port()); })
          == error_type::shutting_down);
  });
  askers.emplace_back([&] {
    CHECK(type_of([&] { static_cast<void>(first->drain(std::nullopt)); })
          == error_type::shutting_down);
  });
  // They are about to ask; one that comes too late gets the same answers.
  std::this_thread::sleep_for(std::chrono::milliseconds{100});
  first->shutdown();
  for (auto& asker : askers)
    asker.join();
}

TEST_CASE_FIXTURE(two_nodes, "a node that has failed takes nobody in any more") {
  auto port = first_place->listen("127.0.0.1", 0);
  caf::anon_send_exit(caf::actor_cast<caf::strong_actor_ptr>(first->core().owner()),
                      caf::exit_reason::kill);
  // The first is not shut down: it closes its port by itself.
  auto is_free = [&] {
    try {
      return cluster{*second}.listen("127.0.0.1", port) == port;
    } catch (const object_error&) {
      return false;
    }
  };
  auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  auto freed = is_free();
  while (!freed && std::chrono::steady_clock::now() < give_up)
    freed = is_free();
  CHECK(freed);
}

// Any node can send such news, and name the actor of another one.
TEST_CASE_FIXTURE(two_nodes, "a node that is said to be down stays a member while it lives") {
  meet();
  REQUIRE(first_place->members().size() == 1);
  caf::anon_send(
    caf::actor_cast<caf::actor>(first->core().cluster()),
    caf::down_msg{second->core().cluster().address(), caf::exit_reason::remote_link_unreachable});
  CHECK(first_place->members().size() == 1);
}

TEST_CASE_FIXTURE(two_nodes, "a second cluster object on a node is told that there is one") {
  first_place->listen("127.0.0.1", 0);
  cluster other{*first};
  CHECK(type_of([&] { other.listen("127.0.0.1", 0); }) == error_type::invalid_argument);
  CHECK(type_of([&] { other.join("127.0.0.1", 1); }) == error_type::invalid_argument);
  CHECK(type_of([&] { other.watch([](const member_event&) {}); }) == error_type::invalid_argument);
  CHECK(other.members().empty());
  second_place->join("127.0.0.1", first_place->port());
  CHECK(first_place->members().size() == 1);
}

TEST_CASE_FIXTURE(two_nodes, "a second cluster object after the first is told that it has been") {
  first_place->listen("127.0.0.1", 0);
  first_place.emplace(*first);
  CHECK(type_of([&] { first_place->listen("127.0.0.1", 0); }) == error_type::invalid_argument);
}

TEST_CASE_FIXTURE(two_nodes, "who could not listen may try again, through any cluster object") {
  CHECK(type_of([&] { first_place->listen("203.0.113.1", 0); }) == error_type::invalid_argument);
  CHECK(cluster{*first}.listen("127.0.0.1", 0) > 0);
}

TEST_CASE_FIXTURE(two_nodes, "a cluster may outlive its node, and its actor system") {
  meet();
  auto port = first_place->port();
  first.reset();
  CHECK(type_of([&] { first_place->listen("127.0.0.1", 0); }) == error_type::shutting_down);
  CHECK(type_of([&] { first_place->join("127.0.0.1", 1); }) == error_type::shutting_down);
  CHECK(first_place->members().empty());
  // The port went with the node.
  node successor{*system};
  CHECK(cluster{successor}.listen("127.0.0.1", port) == port);
  second_place.reset();
  second.reset();
  first_place->leave();
}

TEST_CASE_FIXTURE(two_nodes, "a forked child leaves its parent's cluster as it is") {
  meet();
  auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    first_place.reset();
    first.reset();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(second_place->members().size() == 1);
  CHECK(second->get(second->put(1)).get() != nullptr);
}

// A node's place among others, within one process: who may listen and join, and how lives end.

#include "two_nodes.hpp"

#include <chrono>
#include <cstdlib>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "../raw_socket.hpp"

using namespace mobula;
using namespace mobula::test;

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
  CHECK(*second->get(second->put(1)) == 1);
}

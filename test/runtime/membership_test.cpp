// Nodes in processes of their own on loopback: they join, leave, are killed and stopped.

#include <string>
#include <vector>

#include "../contains.hpp"
#include "../temporary_directory.hpp"
#include "member_process.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

/// Heartbeats fast enough for a test; the timeout leaves space for a loaded machine.
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
  member_process node{{"--mobula.insecure=true"}};
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

TEST_CASE("a command line with such a grace period is refused where nodes join others") {
  member_process hasty{{"--mobula.grace-period=5s"}};
  CHECK(contains(hasty.fail("listen 127.0.0.1:0"), "mobula.grace-period is 5s"));
}

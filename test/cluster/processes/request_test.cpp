// Requests to actors of nodes that die, fall silent and come back, in processes of their own.

#include <optional>

#include "peer_process.hpp"

using namespace mobula::test;

namespace {

/// Two nodes; the second has looked up an actor of the first.
struct server_and_asker {
  std::optional<peer> home{std::in_place};
  peer away;

  server_and_asker() {
    away.join(*home);
    away.await_member(*home);
    home->await_member(away);
    home->do_so("serve worker");
    away.do_so("lookup worker");
  }

  /// Returns how what the second node asks ends.
  std::string ask(const std::string& command) {
    away.say(command + " worker");
    return outcome();
  }

  std::string outcome() {
    return away.await_any({"answer ", "error "});
  }

  void lose_each_other() {
    home->signal(SIGSTOP);
    away.await_loss(*home);
  }

  void find_each_other() {
    home->signal(SIGCONT);
    home->await_loss(away);
    away.await_member(*home);
    home->await_member(away);
  }
};

} // namespace

TEST_CASE_FIXTURE(server_and_asker, "actors of other nodes are asked as those of the same") {
  CHECK(ask("ask") == "answer 42");
  CHECK(ask("block") == "answer 42");
  away.do_so("send worker");
  CHECK(home->await("got ") == "text");
}

TEST_CASE_FIXTURE(server_and_asker, "a request that is not answered in time ends") {
  CHECK(ask("hurry") == "error get_timed_out");
  CHECK(ask("ask") == "answer 42");
}

TEST_CASE_FIXTURE(server_and_asker, "a request ends when the node of its receiver is killed") {
  away.say("wait worker");
  away.say("wait worker");
  // The requests are there, as what follows them is.
  away.do_so("send worker");
  home->await("got ");
  home.reset();
  CHECK(outcome() == "error node_died");
  CHECK(outcome() == "error node_died");
}

TEST_CASE_FIXTURE(server_and_asker, "a request ends when the node of its receiver falls silent") {
  home->signal(SIGSTOP);
  CHECK(ask("ask") == "error node_died");
  home->signal(SIGCONT);
}

TEST_CASE_FIXTURE(server_and_asker, "a request to a node that is lost ends at once") {
  lose_each_other();
  CHECK(ask("ask") == "error node_died");
  CHECK(ask("block") == "error node_died");
  home->signal(SIGCONT);
}

TEST_CASE_FIXTURE(server_and_asker, "a handle from before a cut leads to its actor when it heals") {
  lose_each_other();
  find_each_other();
  CHECK(ask("ask") == "answer 42");
  CHECK(ask("block") == "answer 42");
  away.do_so("send worker");
  CHECK(home->await("got ") == "text");
  // And again, through the same handle.
  lose_each_other();
  CHECK(ask("ask") == "error node_died");
  find_each_other();
  CHECK(ask("ask") == "answer 42");
}

TEST_CASE_FIXTURE(server_and_asker, "who watches an actor is told of the loss of its node") {
  away.do_so("watch worker");
  home.reset();
  CHECK(away.await("ended ") == "node_died");
  away.do_so("watch worker");
  CHECK(away.await("ended ") == "node_died");
}

TEST_CASE_FIXTURE(server_and_asker, "who watches an actor is told of its end") {
  away.do_so("watch worker");
  home->do_so("end worker");
  CHECK(away.await("ended ") == "actor_died");
  CHECK(ask("ask") == "error actor_died");
  CHECK(ask("block") == "error actor_died");
}

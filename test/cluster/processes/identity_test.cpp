// Nodes are told apart also where the system does not help: processes of different containers may
// have the same number, the same host and the same network.

#include <cstdlib>

#include "peer_process.hpp"

using namespace mobula::test;

namespace {

/// Runs a program as process 1 of a namespace.
const std::vector<std::string> as_first_process{"unshare", "--pid", "--fork", "--kill-child",
                                                "--mount-proc"};

bool namespaces_can_be_made() {
  auto usable = std::system("unshare --pid --fork --kill-child --mount-proc true 2>/dev/null") == 0;
  if (!usable)
    MESSAGE("skipped: no process namespaces here; they need root and the package util-linux");
  return usable;
}

} // namespace

TEST_CASE("two processes that are both number 1 join each other, and a third keeps both") {
  if (!namespaces_can_be_made())
    return;
  peer third;
  peer first{{"--mobula.same-host-reading=off"}, as_first_process};
  peer second{{"--mobula.same-host-reading=off"}, as_first_process};
  first.join(third);
  second.join(third);
  for (auto* each : {&first, &second, &third})
    for (auto* other : {&first, &second, &third})
      if (each != other)
        each->await_member(*other);
  // All three pairs understand each other.
  third.put("value", 1, 100);
  third.send("value", first);
  first.send("value", second);
  CHECK(second.read("value") == "1 100");
}

TEST_CASE("a process that is number 1 again, after another was, is another member") {
  if (!namespaces_can_be_made())
    return;
  peer home;
  for (int life = 0; life < 3; ++life) {
    peer visitor{{"--mobula.same-host-reading=off"}, as_first_process};
    visitor.join(home);
    home.await_member(visitor);
    visitor.signal(SIGKILL);
    home.await_loss(visitor);
  }
}

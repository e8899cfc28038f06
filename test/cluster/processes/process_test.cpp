// References between nodes in processes of their own on loopback (cluster_node.cpp), over CAF's
// network: they are read, passed on, and released, whoever is killed, stopped or leaves.

#include "peer_process.hpp"

using namespace mobula::test;

TEST_CASE_FIXTURE(three_peers, "a reference is read in another process") {
  home.put("text", 1, 100);
  CHECK(home.send("text", away) == "1");
  home.drop("text");
  CHECK(away.read("text") == "1 100");
  away.drop("text");
  away.await_nothing_left();
  home.await_nothing_left();
}

TEST_CASE("a small value comes along with its reference") {
  peer home{{"--mobula.piggyback=4KiB"}};
  peer away;
  away.join(home);
  home.await_member(away);
  home.put("text", 1, 100);
  home.send("text", away);
  home.signal(SIGKILL);
  away.await_loss(home);
  CHECK(away.read("text") == "1 100");
  away.drop("text");
  away.await_nothing_left();
}

TEST_CASE_FIXTURE(three_peers, "the only borrower frees a value and drops its reference") {
  home.put("text", 1, 100);
  home.send("text", away);
  away.do_so("free text");
  // What comes back from there comes behind the free.
  home.send("text", away);
  CHECK(away.fail_to_read("text").find("object_freed") != std::string::npos);
  CHECK(home.fail_to_read("text").find("object_freed") != std::string::npos);
}

TEST_CASE("large values in the heap of another process are pulled") {
  peer home{{"--mobula.inline-limit=20MB"}};
  peer away{{"--mobula.store-size=128MiB"}};
  away.join(home);
  home.await_member(away);
  away.await_member(home);
  home.put("large", 4, 15'000'000);
  home.send("large", away);
  CHECK(away.read("large") == "4 60000000");
  CHECK(away.figure("pulled_objects") == 4);
}

TEST_CASE_FIXTURE(three_peers, "a value in shared memory is read in another process") {
  home.put("large", 2, 3'000'000);
  home.send("large", away);
  home.drop("large");
  CHECK(away.read("large") == "2 6000000");
  away.drop("large");
  away.await_nothing_left();
  home.await_nothing_left();
}

TEST_CASE_FIXTURE(three_peers, "a reader in another process waits until the value is there") {
  home.do_so("promise later");
  home.send("later", away);
  away.say("get later");
  home.do_so("keep later 7");
  CHECK(away.await("read later ") == "1 7");
  away.drop("later");
  home.drop("later");
  home.await_nothing_left();
}

TEST_CASE_FIXTURE(three_peers, "ten thousand references travel in one message") {
  home.put("many", 10'000, 10);
  CHECK(home.send("many", away) == "10000");
  home.drop("many");
  CHECK(away.read("many") == "10000 100000");
  away.drop("many");
  away.await_nothing_left();
  home.await_nothing_left();
}

TEST_CASE_FIXTURE(three_peers, "a reference comes home") {
  home.put("text", 1, 100);
  home.send("text", away);
  home.drop("text");
  away.send("text", home);
  away.drop("text");
  away.await_nothing_left();
  CHECK(home.read("text") == "1 100");
  home.drop("text");
  home.await_nothing_left();
}

TEST_CASE_FIXTURE(three_peers, "a reference that was passed on outlives who passed it on") {
  home.put("text", 1, 100);
  home.send("text", away);
  home.drop("text");
  away.send("text", third);
  away.signal(SIGKILL);
  CHECK(home.await_loss(away) == "connection lost");
  CHECK(third.read("text") == "1 100");
  third.drop("text");
  third.await_nothing_left();
  home.await_nothing_left();
}

TEST_CASE_FIXTURE(three_peers, "references fail when their owner is killed") {
  home.do_so("promise never");
  home.send("never", away);
  away.say("get never");
  home.signal(SIGKILL);
  CHECK(away.await("error never ") == "owner_died");
  away.drop("never");
  away.await_nothing_left();
}

TEST_CASE_FIXTURE(three_peers, "a reference that arrives after its owner's death fails") {
  home.put("text", 1, 100);
  home.send("text", away);
  home.signal(SIGKILL);
  away.await_loss(home);
  third.await_loss(home);
  away.send("text", third);
  CHECK(third.fail_to_read("text") == "owner_died");
  away.drop("text");
  third.drop("text");
  away.await_nothing_left();
  third.await_nothing_left();
}

TEST_CASE_FIXTURE(three_peers, "what a killed process held is released") {
  home.put("text", 1, 100);
  home.send("text", away);
  home.drop("text");
  away.signal(SIGKILL);
  home.await_nothing_left();
}

TEST_CASE_FIXTURE(three_peers, "what a process held that leaves is released") {
  home.put("text", 1, 100);
  home.send("text", away);
  home.drop("text");
  away.say("leave -");
  away.await("left");
  CHECK(home.await_loss(away) == "left");
  home.await_nothing_left();
}

TEST_CASE_FIXTURE(three_peers, "references fail when their owner leaves") {
  home.put("text", 1, 100);
  home.send("text", away);
  home.say("leave -");
  home.await("left");
  CHECK(away.fail_to_read("text") == "owner_died");
  away.drop("text");
  away.await_nothing_left();
}

TEST_CASE_FIXTURE(three_peers,
                  "an owner that is stopped counts as dead, and lives again when it goes on") {
  home.put("text", 1, 100);
  home.send("text", away);
  home.signal(SIGSTOP);
  away.await_loss(home);
  CHECK(away.fail_to_read("text") == "owner_died");
  home.signal(SIGCONT);
  home.await_loss(away);
  home.await_member(away);
  away.await_member(home);
  home.send("text", away);
  CHECK(away.read("text") == "1 100");
  home.drop("text");
  away.drop("text");
  away.await_nothing_left();
  home.await_nothing_left();
}

TEST_CASE_FIXTURE(three_peers, "a name leads to a reference in another process") {
  home.put("text", 1, 100);
  home.do_so("publish text");
  home.drop("text");
  away.do_so("lookup text 60000");
  CHECK(away.read("text") == "1 100");
  away.drop("text");
  home.do_so("unpublish text");
  away.await_nothing_left();
  home.await_nothing_left();
}

TEST_CASE_FIXTURE(three_peers, "a name is gone when its publisher is killed") {
  home.put("text", 1, 100);
  home.do_so("publish text");
  away.do_so("lookup text 60000");
  home.signal(SIGKILL);
  away.await_loss(home);
  CHECK(away.fail("lookup text 0").starts_with("name_not_found"));
  CHECK(away.fail_to_read("text") == "owner_died");
  away.put("text", 1, 50);
  away.do_so("publish text");
  third.do_so("lookup text 60000");
  CHECK(third.read("text") == "1 50");
}

TEST_CASE_FIXTURE(three_peers, "a name that another process has published is taken") {
  home.put("text", 1, 100);
  home.do_so("publish text");
  away.do_so("lookup text 60000");
  CHECK(away.fail("publish text").starts_with("invalid_argument"));
}

TEST_CASE_FIXTURE(three_peers, "a watcher is told not to wait for what another process has") {
  home.do_so("promise later");
  home.send("later", away);
  away.say("watcher-reads later");
  CHECK(away.await("watcher later ") == "invalid_argument invalid_argument invalid_argument");
}

TEST_CASE("a node that knows only the sender finds the owner") {
  peer home;
  peer away;
  away.join(home);
  home.put("text", 1, 100);
  home.send("text", away);
  home.drop("text");
  peer late;
  late.join(away);
  away.await_member(late);
  away.send("text", late);
  away.drop("text");
  CHECK(late.read("text") == "1 100");
  late.drop("text");
  late.await_nothing_left();
  home.await_nothing_left();
}

TEST_CASE_FIXTURE(three_peers, "a value of another process is read in its owner's memory") {
  home.put("large", 2, 3'000'000);
  home.send("large", away);
  CHECK(away.view("large") == "2 6000000");
  away.check("large");
  CHECK(away.used() == "0");
  away.do_so("close large");
  away.drop("large");
  home.drop("large");
  away.await_nothing_left();
  home.await_nothing_left();
}

TEST_CASE_FIXTURE(three_peers, "what a process views stays there, and goes when it is closed") {
  home.put("large", 1, 3'000'000);
  home.send("large", away);
  away.view("large");
  away.drop("large");
  home.drop("large");
  away.check("large");
  CHECK(home.used() != "0");
  away.do_so("close large");
  away.await_nothing_left();
  home.await_nothing_left();
}

TEST_CASE_FIXTURE(three_peers, "a process that is killed while it views leaves no pin behind") {
  home.put("large", 2, 3'000'000);
  home.send("large", away);
  home.drop("large");
  away.view("large");
  away.signal(SIGKILL);
  home.await_nothing_left();
}

TEST_CASE_FIXTURE(three_peers, "what is viewed stays readable when its owner is killed") {
  home.put("large", 2, 3'000'000);
  home.send("large", away);
  away.view("large");
  home.signal(SIGKILL);
  away.await_loss(home);
  away.check("large");
  CHECK(away.read("large") == "2 6000000");
  away.do_so("close large");
  away.drop("large");
  away.await_nothing_left();
}

TEST_CASE("where values are not read in place, their bytes travel") {
  peer home;
  peer away{{"--mobula.same-host-reading=off"}};
  away.join(home);
  home.put("large", 1, 3'000'000);
  home.send("large", away);
  home.drop("large");
  CHECK(away.view("large") == "1 3000000");
  home.signal(SIGKILL);
  away.check("large");
  away.do_so("close large");
  away.drop("large");
  away.await_nothing_left();
}

TEST_CASE("what a process refers to stays readable when its owner leaves and drains") {
  for (const auto* reading : {"auto", "off"}) {
    CAPTURE(reading);
    peer home{{"--mobula.drain=30s"}};
    peer away{{std::string{"--mobula.same-host-reading="} + reading}};
    away.join(home);
    home.await_member(away);
    home.put("small", 10, 100);
    home.put("large", 3, 1'000'000);
    home.send("small", away);
    home.send("large", away);
    home.say("leave -");
    home.await("left");
    CHECK(away.read("small") == "10 1000");
    CHECK(away.read("large") == "3 3000000");
    away.drop("small");
    away.drop("large");
    away.await_nothing_left();
  }
}

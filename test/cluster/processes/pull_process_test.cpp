// Values that are pulled from process to process over their data ports on loopback, since they may
// not be read in place.

#include "peer_process.hpp"

using namespace mobula::test;

namespace {

const std::string no_sharing = "--mobula.same-host-reading=off";

/// Two processes that share no memory.
struct two_hosts {
  explicit two_hosts(const std::string& option = "--mobula.store-size=256MiB")
    : home({no_sharing, "--mobula.store-size=256MiB", "--mobula.prefault=0"}),
      away({no_sharing, option, "--mobula.prefault=0", "--mobula.full-timeout=10min"}) {
    away.join(home);
    away.await_member(home);
    home.await_member(away);
  }

  void send(const std::string& name, std::size_t count, std::size_t size) {
    home.put(name, count, size);
    home.send(name, away);
    home.drop(name);
  }

  void await_nothing_left() {
    away.await_nothing_left();
    home.await_nothing_left();
  }

  peer home;
  peer away;
};

/// The reader has space for four values of five million bytes, and keeps what it has read.
struct small_reader : two_hosts {
  small_reader() : two_hosts("--mobula.store-size=48MiB") {
    // nop
  }
};

constexpr std::size_t mib = std::size_t{1} << 20U;

} // namespace

TEST_CASE_FIXTURE(two_hosts, "values of any size are pulled as they are") {
  for (auto size : {200 * mib / 1024, 5 * mib, 64 * mib}) {
    send("values", 1, size);
    CHECK(away.view("values") == "1 " + std::to_string(size));
    away.check("values");
    away.do_so("close values");
    away.drop("values");
  }
  CHECK(away.figure("pulled_bytes") == 200 * mib / 1024 + 69 * mib);
  // The reader has the last bytes before their sender hears that they are sent.
  await_nothing_left();
  CHECK(home.figure("pushed_bytes") == away.figure("pulled_bytes"));
}

TEST_CASE_FIXTURE(two_hosts, "many values are pulled at once") {
  send("values", 100, 200'000);
  CHECK(away.view("values") == "100 20000000");
  away.check("values");
  away.do_so("close values");
  away.drop("values");
  await_nothing_left();
}

TEST_CASE_FIXTURE(two_hosts, "readers at the same time share one pull") {
  send("value", 1, 5'000'000);
  for (int reader = 0; reader < 4; ++reader)
    away.say("get value");
  for (int reader = 0; reader < 4; ++reader)
    CHECK(away.await("read value ") == "1 5000000");
  away.drop("value");
  // The reader has the last bytes before their sender hears that they are sent.
  await_nothing_left();
  CHECK(home.figure("pushed_bytes") == 5'000'000);
}

TEST_CASE_FIXTURE(small_reader, "what was pulled goes when space is needed, and comes again") {
  for (int name = 0; name < 20; ++name) {
    send("value" + std::to_string(name), 1, 5'000'000);
    CHECK(away.read("value" + std::to_string(name)) == "1 5000000");
  }
  CHECK(away.figure("evicted_objects") > 0);
  CHECK(away.read("value0") == "1 5000000");
  CHECK(away.figure("pulled_objects") > 20);
  for (int name = 0; name < 20; ++name)
    away.drop("value" + std::to_string(name));
  await_nothing_left();
}

// The reader keeps what it has while it waits for the rest, for which it has no space: so whatever
// is killed is killed before the end.

TEST_CASE_FIXTURE(small_reader, "pulls fail when their owner is killed, and nothing is left") {
  send("values", 40, 5'000'000);
  away.say("get values");
  away.await_pulled(1);
  home.signal(SIGKILL);
  CHECK(away.await("error values ") == "owner_died");
  away.drop("values");
  away.await_nothing_left();
}

TEST_CASE_FIXTURE(small_reader, "a reader that is killed while it pulls leaves nothing behind") {
  send("values", 40, 5'000'000);
  away.say("get values");
  away.await_pulled(1);
  away.signal(SIGKILL);
  home.await_nothing_left();
}

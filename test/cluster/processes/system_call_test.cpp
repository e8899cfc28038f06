// Reading a value in the arena of another process costs no system call, however large it is.

#include "peer_process.hpp"
#include "system_call_watch.hpp"

using namespace mobula::test;

namespace {

/// Even a value of one KiB is in the arena.
struct two_processes {
  two_processes() {
    away.join(home);
    home.await_member(away);
    away.await_member(home);
  }

  peer home{{"--mobula.inline-limit=500"}};
  peer away;
};

} // namespace

TEST_CASE("the watch of these tests notices a system call, and the call is made") {
  system_call_watch watch;
  if (!watch.usable()) {
    MESSAGE("skipped: this system does not refuse a thread its system calls");
    return;
  }
  pid_t parent = 0;
  CHECK(watch.first_call_of([&] { parent = ::getppid(); }) == SYS_getppid);
  CHECK(parent == ::getppid());
  CHECK(watch.first_call_of([] {}) == std::nullopt);
}

TEST_CASE_FIXTURE(two_processes, "a get in the arena of another process makes no system call") {
  for (std::size_t size : {1'024, 200'000, 3'000'000}) {
    home.put("values", 2, size);
    home.send("values", away);
    auto call = away.first_call_of_reads("values");
    if (call == "unknown") {
      MESSAGE("skipped: this system does not refuse a thread its system calls");
      return;
    }
    CHECK(call == "none");
    CHECK(away.used() == "0");
    CHECK(away.figure("pulled_objects") == 0);
    home.drop("values");
    away.drop("values");
    home.await_nothing_left();
  }
}

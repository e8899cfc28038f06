// Which threads may still send to services that are about to end, and which one frees the node
// last.

#include "mobula/actors/node/service_uses.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace mobula;

TEST_CASE("a use is a count, and gives it back") {
  service_uses uses;
  REQUIRE(uses.try_use());
  CHECK_FALSE(uses.drop());
  CHECK(uses.end_use() == service_uses::end::last);
}

TEST_CASE("a use that ends before the services leaves the other counts") {
  service_uses uses;
  REQUIRE(uses.try_use());
  CHECK(uses.in_use());
  CHECK(uses.end_use() == service_uses::end::counted);
  CHECK_FALSE(uses.in_use());
  CHECK(uses.drop());
}

TEST_CASE("services that have ended are not used any more") {
  service_uses uses;
  uses.services_ended();
  CHECK(uses.have_ended());
  CHECK_FALSE(uses.try_use());
  CHECK_FALSE(uses.in_use());
  CHECK(uses.drop());
}

TEST_CASE("who ends services is told of the last use, which still has its count then") {
  service_uses uses;
  REQUIRE(uses.try_use());
  uses.services_ended();
  CHECK(uses.in_use());
  REQUIRE(uses.end_use() == service_uses::end::announced);
  CHECK(uses.in_use());
  uses.end_announced();
  CHECK_FALSE(uses.in_use());
  CHECK_FALSE(uses.drop());
  CHECK(uses.drop());
}

TEST_CASE("uses of many threads all end before the services are gone") {
  for (int round = 0; round < 200; ++round) {
    service_uses uses;
    std::mutex mutex;
    std::condition_variable changed;
    int services = 1; // written when nobody uses them any more
    auto use = [&] {
      uses.add();
      while (uses.try_use()) {
        CHECK(services == 1);
        if (uses.end_use() != service_uses::end::announced)
          continue;
        std::unique_lock guard{mutex};
        uses.end_announced();
        changed.notify_all();
        guard.unlock();
        CHECK_FALSE(uses.drop());
      }
      CHECK_FALSE(uses.drop());
    };
    std::vector<std::thread> threads;
    for (int count = 0; count < 3; ++count)
      threads.emplace_back(use);
    uses.services_ended();
    {
      std::unique_lock guard{mutex};
      changed.wait(guard, [&] { return !uses.in_use(); });
      services = 0;
    }
    for (auto& thread : threads)
      thread.join();
    CHECK(uses.drop());
  }
}

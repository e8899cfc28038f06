// What a refusal of the store means to those who wait for the heap, and what leaves it all the
// same.

#include "heap_shell.hpp"

using namespace mobula;
using namespace mobula::test;

TEST_CASE_FIXTURE(heap_shell, "who comes while an older attempt ends in vain has one of its own") {
  staying = 850;
  put(100);
  wait(100);
  put(20);
  REQUIRE(leaving.size() == 2);
  end(heap_leave_end::refused);
  CHECK(refused == 0);
  end(heap_leave_end::refused);
  CHECK(refused == 1);
}

TEST_CASE_FIXTURE(heap_shell, "who has no attempt of its own waits until hope is given up") {
  staying = 850;
  put(100);
  wait(100);
  end(heap_leave_end::refused);
  CHECK(refused == 0);
  REQUIRE(stalls.size() == 1);
  give_up(stalls.front());
  CHECK(refused == 1);
}

TEST_CASE_FIXTURE(heap_shell, "who waits is not refused while others are on their way out") {
  staying = 700;
  for (int count = 0; count < 3; ++count)
    put(100);
  wait(100);
  REQUIRE(leaving.size() > 1);
  end(heap_leave_end::refused);
  CHECK(refused == 0);
  while (!leaving.empty())
    end(heap_leave_end::left);
  CHECK(refused == 0);
  CHECK(woken == 1);
}

TEST_CASE_FIXTURE(heap_shell, "those who come one after the other do not keep the first waiting") {
  staying = 600;
  for (int count = 0; count < 4; ++count)
    put(100);
  wait(500);
  std::size_t rounds = 0;
  for (; refused == 0 && rounds < 20; ++rounds) {
    REQUIRE_FALSE(leaving.empty());
    end(heap_leave_end::refused);
    idle.push_back(10);
    wait(500);
  }
  // The four that were on their way when it came, and the four that were tried for it.
  CHECK(rounds <= 8);
}

TEST_CASE_FIXTURE(heap_shell, "a refusal of before the store had space refuses nobody later") {
  staying = 700;
  for (int count = 0; count < 3; ++count)
    put(100);
  REQUIRE(leaving.size() == 3);
  end(heap_leave_end::refused);
  store_has_space();
  wait(50);
  put(10);
  REQUIRE(leaving.size() == 3);
  while (!leaving.empty())
    end(heap_leave_end::kept);
  CHECK(refused == 0);
  CHECK(stalls.size() == 1);
}

TEST_CASE_FIXTURE(heap_shell, "after a refusal what was decoded leaves all the same") {
  staying = 600;
  put(250);
  REQUIRE(leaving.size() == 1);
  end(heap_leave_end::refused);
  idle.push_back(50);
  decoded = {100, 100};
  look();
  CHECK(decoded.empty());
  CHECK(idle.size() == 1);
  end(heap_leave_end::left);
  end(heap_leave_end::left);
  CHECK(leaving.empty());
  decoded = {30};
  look();
  CHECK(decoded.empty());
}

TEST_CASE_FIXTURE(heap_shell, "who insists has values tried although nothing decoded was left") {
  staying = 600;
  put(150);
  put(100);
  REQUIRE(leaving.size() == 2);
  end(heap_leave_end::refused);
  wait(300);
  idle.push_back(50);
  look();
  CHECK(idle.size() == 1);
  end(heap_leave_end::refused);
  CHECK(idle.empty());
  CHECK(refused == 0);
  end(heap_leave_end::refused);
  CHECK(refused == 1);
}

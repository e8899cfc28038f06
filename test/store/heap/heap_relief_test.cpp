// When values leave the process heap, how many, and who waits for them.

#include "heap_shell.hpp"

#include <random>

using namespace mobula;
using namespace mobula::test;

TEST_CASE_FIXTURE(heap_shell,
                  "up to the threshold nothing leaves, above it what is above low water") {
  for (int count = 0; count < 8; ++count)
    put(100);
  CHECK(leaving.empty());
  CHECK_FALSE(relief.watches());
  put(1);
  // 801 bytes: 201 are to go, and the third value goes for the last of them.
  CHECK(leaving.size() == 3);
  CHECK(relief.watches());
}

TEST_CASE_FIXTURE(heap_shell, "what is on its way counts as gone when more is chosen") {
  for (int count = 0; count < 9; ++count)
    put(100);
  CHECK(leaving.size() == 3);
  look();
  CHECK(leaving.size() == 3);
  end(heap_leave_end::left);
  CHECK(leaving.size() == 2);
}

TEST_CASE_FIXTURE(heap_shell, "relief ends exactly at the low-water mark") {
  for (int count = 0; count < 9; ++count)
    put(100);
  while (!leaving.empty())
    end(heap_leave_end::left);
  CHECK(used() == 600);
  CHECK_FALSE(relief.watches());
}

TEST_CASE_FIXTURE(heap_shell, "no more leave at once than may, and the others follow") {
  for (int count = 0; count < 90; ++count)
    idle.push_back(10);
  look();
  CHECK(leaving.size() == 4);
  end(heap_leave_end::left);
  CHECK(leaving.size() == 4);
}

TEST_CASE_FIXTURE(heap_shell, "a pinned value has another one leave in its place") {
  for (int count = 0; count < 9; ++count)
    put(100);
  end(heap_leave_end::pinned);
  CHECK(leaving.size() == 3);
}

TEST_CASE_FIXTURE(heap_shell, "between the threshold and the low-water mark relief goes on") {
  for (int count = 0; count < 9; ++count)
    put(100);
  end(heap_leave_end::left);
  REQUIRE(used() == 800);
  end(heap_leave_end::pinned);
  CHECK(leaving.size() == 2);
}

TEST_CASE_FIXTURE(heap_shell, "when nothing was left to choose the next look comes with a cause") {
  staying = 900;
  look();
  idle.assign(4, 10);
  SUBCASE("somebody who waits") {
    wait(200);
  }
  SUBCASE("space in the store") {
    store_has_space();
  }
  SUBCASE("a change") {
    look();
  }
  CHECK(leaving.size() == 4);
}

TEST_CASE_FIXTURE(heap_shell, "the end of an attempt has what is there by now leave") {
  staying = 900;
  idle.push_back(50);
  look();
  REQUIRE(leaving.size() == 1);
  idle.push_back(60);
  end(heap_leave_end::left);
  CHECK(leaving == std::deque<std::size_t>{60});
}

TEST_CASE_FIXTURE(heap_shell, "after a refusal nothing is chosen until the store has space") {
  for (int count = 0; count < 9; ++count)
    put(100);
  while (!leaving.empty())
    end(heap_leave_end::refused);
  put(50);
  CHECK(leaving.empty());
  store_has_space();
  CHECK_FALSE(leaving.empty());
}

TEST_CASE_FIXTURE(heap_shell, "who comes to wait has values leave, also after a refusal") {
  for (int count = 0; count < 9; ++count)
    put(100);
  while (!leaving.empty())
    end(heap_leave_end::refused);
  wait(200);
  CHECK_FALSE(leaving.empty());
  CHECK(stalls.empty());
}

TEST_CASE_FIXTURE(heap_shell, "who waited before a refusal has no more values leave after it") {
  for (int count = 0; count < 10; ++count)
    put(100);
  wait(10);
  while (!leaving.empty())
    end(heap_leave_end::refused);
  REQUIRE(refused == 1);
  look();
  CHECK(leaving.empty());
}

TEST_CASE_FIXTURE(heap_shell, "who waits has values leave below the threshold, too") {
  idle.assign(7, 100);
  wait(400);
  CHECK(leaving.size() == 1);
  end(heap_leave_end::left);
  CHECK(woken == 1);
}

TEST_CASE_FIXTURE(heap_shell, "space for the least of those who wait has all of them try again") {
  staying = 1'000;
  wait(500);
  wait(10);
  wait(700);
  staying = 990;
  look();
  CHECK(woken == 3);
}

TEST_CASE_FIXTURE(heap_shell, "who waits is woken when the space is there, and not before") {
  staying = 950;
  idle.push_back(50);
  wait(50);
  CHECK(woken == 0);
  end(heap_leave_end::left);
  CHECK(woken == 1);
}

TEST_CASE_FIXTURE(heap_shell, "who waits for a byte too much is not woken") {
  staying = 950;
  idle.push_back(50);
  wait(51);
  end(heap_leave_end::left);
  CHECK(woken == 0);
  CHECK(stalls.size() == 1);
}

TEST_CASE_FIXTURE(heap_shell, "a refusal of the store is one for all who wait") {
  for (int count = 0; count < 10; ++count)
    put(100);
  wait(10);
  wait(10);
  while (!leaving.empty()) {
    CHECK(refused == 0);
    end(heap_leave_end::refused);
  }
  CHECK(refused == 2);
}

TEST_CASE_FIXTURE(heap_shell,
                  "who waits while nothing can leave is refused when hope is given up") {
  staying = 1'000;
  wait(10);
  REQUIRE(stalls.size() == 1);
  give_up(stalls.front());
  CHECK(refused == 1);
}

TEST_CASE_FIXTURE(heap_shell, "the give-up of a stall that is over does not end the next") {
  staying = 1'000;
  wait(10);
  staying = 900;
  look();
  CHECK(woken == 1);
  staying = 1'000;
  wait(10);
  REQUIRE(stalls.size() == 2);
  give_up(stalls.front());
  CHECK(refused == 0);
  give_up(stalls.back());
  CHECK(refused == 1);
}

TEST_CASE_FIXTURE(heap_shell, "a look that finds nothing does not begin the stall anew") {
  staying = limit;
  wait(100);
  look();
  look();
  CHECK(stalls.size() == 1);
  give_up(stalls.front());
  CHECK(refused == 1);
}

TEST_CASE_FIXTURE(heap_shell, "a stall is over when something can leave") {
  staying = 1'000;
  wait(10);
  put(10);
  CHECK(leaving.size() == 1);
  give_up(stalls.front());
  CHECK(refused == 0);
}

TEST_CASE("in random schedules everybody who waits is woken or refused, and the heap gets calm") {
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    std::mt19937_64 random{seed};
    heap_shell shell;
    std::size_t waited = 0;
    for (int step = 0; step < 200; ++step) {
      auto size = 1 + random() % 200;
      switch (random() % 8) {
        case 0:
          shell.staying += size;
          shell.look();
          break;
        case 1:
          shell.staying -= std::min(shell.staying, size);
          shell.look();
          break;
        case 2:
          shell.put(size);
          break;
        case 3:
          if (shell.used() + size > limit) {
            ++waited;
            shell.wait(size);
          }
          break;
        case 4:
          shell.store_has_space();
          break;
        case 5:
          if (!shell.stalls.empty())
            shell.give_up(shell.stalls[random() % shell.stalls.size()]);
          break;
        default:
          if (!shell.leaving.empty())
            shell.end(static_cast<heap_leave_end>(random() % 4));
      }
    }
    while (!shell.leaving.empty())
      shell.end(heap_leave_end::left);
    if (shell.waiting > 0)
      shell.give_up(shell.stalls.back());
    while (!shell.leaving.empty())
      shell.end(heap_leave_end::left);
    REQUIRE(shell.waiting == 0);
    REQUIRE(shell.woken + shell.refused == waited);
    shell.store_has_space();
    while (!shell.leaving.empty())
      shell.end(heap_leave_end::left);
    REQUIRE((shell.idle.empty() || shell.used() <= limit * 8 / 10));
  }
}

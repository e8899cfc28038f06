// What a refusal of the store means to those who wait for the heap, and what leaves it all the
// same.

#include "heap_shell.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

bool refuses(const heap_effects& effects) {
  return std::ranges::any_of(effects, [](const auto& effect) {
    return std::holds_alternative<refuse_heap_waiters>(effect);
  });
}

} // namespace

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

TEST_CASE_FIXTURE(heap_shell,
                  "who was woken before an attempt ended in vain is not refused for it") {
  staying = 600;
  put(150);
  wait(300);
  REQUIRE(leaving.size() == 1);
  staying = 400;
  look();
  REQUIRE(woken == 1);
  end(heap_leave_end::refused);
  CHECK(refused == 0);
}

TEST_CASE_FIXTURE(heap_shell,
                  "an attempt in vain refuses nobody whose own attempt is another one") {
  staying = 600;
  put(250);
  wait(200);
  end(heap_leave_end::refused);
  REQUIRE(refused == 0);
  put(100);
  REQUIRE(leaving.size() == 1);
  end(heap_leave_end::left);
  CHECK(refused == 0);
}

TEST_CASE("who waits is not refused while more is being chosen") {
  heap_relief relief{{.limit_bytes = limit, .threshold = 0.8, .low_water = 0.6}};
  heap_effects effects;
  relief.await_space(300, 750, effects);
  object_tally victims;
  victims.add(50);
  relief.chosen(victims, effects);
  relief.await_space(300, 750, effects);
  REQUIRE(std::holds_alternative<choose_victims>(effects.back()));
  effects.clear();
  relief.leave_ended(50, heap_leave_end::refused, 750, effects);
  CHECK(effects.empty());
  relief.chosen({}, effects);
  CHECK(refuses(effects));
}

TEST_CASE("an attempt in vain that nobody waited for refuses nobody") {
  heap_relief relief{{.limit_bytes = limit, .threshold = 0.8, .low_water = 0.6}};
  heap_effects effects;
  relief.looked(850, effects);
  object_tally victims;
  victims.add(250);
  relief.chosen(victims, effects);
  relief.leave_ended(250, heap_leave_end::refused, 850, effects);
  CHECK_FALSE(refuses(effects));
}

// -- what is chosen after a refusal -------------------------------------------------

TEST_CASE_FIXTURE(heap_shell, "a choice that found all it was to find may find more") {
  staying = 600;
  put(250);
  decoded = {100, 100};
  end(heap_leave_end::refused);
  CHECK(decoded.empty());
}

TEST_CASE_FIXTURE(heap_shell, "a choice that ended with the most that may leave may find more") {
  staying = 770;
  idle.assign(4, 10);
  look();
  REQUIRE(leaving.size() == 4);
  decoded = {30};
  end(heap_leave_end::refused);
  CHECK(decoded.empty());
}

// How the heap's limit is shared among stripes: all of it, and not a byte more unless somebody must
// not wait.

#include "mobula/store/heap/heap_budget.hpp"

#include <doctest/doctest.h>

#include <random>
#include <thread>
#include <vector>

using namespace mobula;

namespace {

/// Takes bytes as a thread that may fail does.
bool take(heap_budget& budget, std::uint32_t stripe, std::uint64_t bytes) {
  auto& ledger = budget.ledger(stripe);
  return ledger.try_take(bytes) || budget.take(ledger, bytes) != heap_answer::full;
}

/// Bytes of one stripe that a test has taken. They go at its end: a ledger lives until it has all.
heap_charge charge_of(heap_budget& budget, std::uint32_t stripe, std::uint64_t bytes) {
  return {budget.ledger(stripe), bytes};
}

} // namespace

TEST_CASE("a heap gives all that its limit allows, and no byte more") {
  heap_budget budget{100'000, 4};
  CHECK(take(budget, 0, 99'999));
  auto most = charge_of(budget, 0, 99'999);
  CHECK(take(budget, 1, 1));
  auto last = charge_of(budget, 1, 1);
  CHECK_FALSE(take(budget, 2, 1));
  CHECK(budget.used_bytes() == 100'000);
}

TEST_CASE("what one stripe was granted and does not use, another one gets") {
  heap_budget budget{100'000, 2};
  CHECK(take(budget, 0, 90'000));
  budget.ledger(0).give_back(90'000);
  CHECK(take(budget, 1, 100'000));
  auto taken = charge_of(budget, 1, 100'000);
}

TEST_CASE("a stripe that asks is granted a piece ahead, and that to the last byte") {
  heap_budget budget{256'000, 2};
  auto& ledger = budget.ledger(0);
  CHECK(budget.take(ledger, 1) == heap_answer::taken);
  CHECK(ledger.try_take(1'000));
  CHECK_FALSE(ledger.try_take(1));
  CHECK(budget.used_bytes() == 1'001);
}

TEST_CASE("who takes anyway hears whether that was more than granted") {
  heap_budget budget{256'000, 1};
  auto& ledger = budget.ledger(0);
  CHECK(budget.take(ledger, 1) == heap_answer::taken);
  CHECK_FALSE(ledger.take_anyway(1'000));
  CHECK(ledger.take_anyway(1));
}

TEST_CASE("a single byte that was taken anyway counts") {
  heap_budget budget{100'000, 2};
  CHECK(budget.ledger(0).take_anyway(1));
  CHECK_FALSE(take(budget, 1, 100'000));
  CHECK(take(budget, 1, 99'999));
}

TEST_CASE("what is given back can be taken again") {
  heap_budget budget{100'000, 1};
  CHECK(take(budget, 0, 100'000));
  auto taken = charge_of(budget, 0, 100'000);
  budget.ledger(0).give_back(100);
  CHECK(take(budget, 0, 100));
  CHECK_FALSE(take(budget, 0, 1));
}

TEST_CASE("who must not wait takes more than the limit, and it counts") {
  heap_budget budget{100'000, 2};
  CHECK(budget.ledger(0).take_anyway(150'000));
  auto kept = charge_of(budget, 0, 99'999);
  CHECK(budget.used_bytes() == 150'000);
  CHECK_FALSE(take(budget, 1, 1));
  CHECK(budget.settle(budget.ledger(0)) == heap_answer::taken_above_threshold);
  budget.ledger(0).give_back(50'001);
  CHECK(take(budget, 1, 1));
  auto last = charge_of(budget, 1, 1);
  CHECK(budget.used_bytes() == 100'000);
}

TEST_CASE("above the threshold a taker hears of it, at the threshold it does not") {
  heap_budget budget{100'000, 1, 0.8};
  CHECK(budget.take(budget.ledger(0), 80'000) == heap_answer::taken);
  budget.take_idle_back();
  CHECK(budget.take(budget.ledger(0), 1) == heap_answer::taken_above_threshold);
  auto taken = charge_of(budget, 0, 80'001);
}

TEST_CASE("a charge gives its bytes back at its end, also after the heap's") {
  heap_charge outlives;
  {
    heap_budget budget{100'000, 1};
    REQUIRE(take(budget, 0, 500));
    outlives = heap_charge{budget.ledger(0), 500};
    {
      REQUIRE(take(budget, 0, 70));
      heap_charge ends{budget.ledger(0), 70};
    }
    CHECK(budget.used_bytes() == 500);
  }
  CHECK(outlives.bytes() == 500);
}

TEST_CASE("a charge that takes another's bytes over gives its own back") {
  heap_budget budget{100'000, 1};
  REQUIRE(take(budget, 0, 130));
  heap_charge charge{budget.ledger(0), 100};
  {
    heap_charge other{budget.ledger(0), 30};
    charge = std::move(other);
  }
  CHECK(charge.bytes() == 30);
  CHECK(budget.used_bytes() == 30);
}

TEST_CASE("random takers and givers never pass the limit, and the sum is exact") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    std::mt19937_64 random{seed};
    constexpr std::uint32_t stripes = 5;
    heap_budget budget{10'000 + random() % 100'000, stripes};
    std::vector<heap_charge> taken;
    std::uint64_t sum = 0;
    for (int step = 0; step < 300; ++step) {
      auto stripe = static_cast<std::uint32_t>(random() % stripes);
      auto bytes = 1 + random() % 9'000;
      if (random() % 3 != 0) {
        auto fits = sum + bytes <= budget.limit_bytes();
        REQUIRE(take(budget, stripe, bytes) == fits);
        if (fits) {
          taken.push_back(charge_of(budget, stripe, bytes));
          sum += bytes;
        }
      } else if (!taken.empty()) {
        std::swap(taken[random() % taken.size()], taken.back());
        sum -= taken.back().bytes();
        taken.pop_back();
      }
      REQUIRE(budget.used_bytes() == sum);
    }
  }
}

TEST_CASE("threads that take and give back at the same time leave nothing taken") {
  heap_budget budget{1'000'000, 4};
  std::vector<std::thread> threads;
  for (std::uint32_t stripe = 0; stripe < 4; ++stripe)
    threads.emplace_back([&budget, stripe] {
      for (std::uint64_t round = 0; round < 20'000; ++round)
        if (auto bytes = 1 + round % 300'000; take(budget, stripe, bytes))
          heap_charge{budget.ledger(stripe), bytes};
    });
  for (auto& thread : threads)
    thread.join();
  CHECK(budget.used_bytes() == 0);
  CHECK(take(budget, 0, 1'000'000));
  auto all = charge_of(budget, 0, 1'000'000);
}

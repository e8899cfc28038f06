// What shards share: one limit, one queue, one order of last use, one purse of credit.

#include <thread>

#include "mobula/store/shard/store_space.hpp"
#include "shard_shell.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr store_config three_shards{
  .capacity_bytes = 100, .shards = 3, .spill_threshold = 1.0, .low_water = 1.0};

/// A store of three shards, and objects of each.
struct shared_store : shard_shell {
  shared_store() : shard_shell(three_shards) {
  }

  /// Returns the `index`-th object of a shard.
  std::uint64_t object_of(std::uint32_t shard, std::size_t index = 0) const {
    for (std::uint64_t number = 1;; ++number)
      if (shard_of(number) == shard && index-- == 0)
        return number;
  }
};

/// The same with the mutex and the outboxes that real shards have.
struct real_space {
  store_space space{three_shards, 100};
  shard_effects effects;
  std::vector<std::uint32_t> woken;

  bool create(std::uint32_t shard, std::uint64_t number, std::size_t size) {
    return space.try_event(shard, effects, woken, [&](store_table& table, store_effects& out) {
      table.create(token_number(number), object_number(number), size, copy_kind::secondary, out);
    });
  }

  template <class Effect>
  bool has_effect() const {
    return std::ranges::any_of(
      effects, [](const shard_effect& effect) { return std::holds_alternative<Effect>(effect); });
  }

  /// Returns the `index`-th object of a shard.
  static std::uint64_t object_of(std::uint32_t shard, std::size_t index = 0) {
    for (std::uint64_t number = 1;; ++number)
      if (home_shard(number, 3) == shard && index-- == 0)
        return number;
  }
};

} // namespace

TEST_CASE_FIXTURE(shared_store, "an object of any shard may be as large as the store") {
  for (std::uint32_t shard : {0, 1, 2}) {
    put(object_of(shard), 100);
    release(object_of(shard));
  }
  CHECK(refusals.empty());
}

TEST_CASE_FIXTURE(shared_store, "one shard's objects may fill the store") {
  for (std::size_t index = 0; index < 10; ++index)
    put(object_of(1, index), 10);
  CHECK(table.used_bytes() == 100);
}

TEST_CASE_FIXTURE(shared_store, "space that one shard frees is granted by another") {
  create(object_of(0), 100);
  create(object_of(1), 50);
  abort(object_of(0));
  CHECK_FALSE(was_granted(object_of(1)));
  deliver(1);
  CHECK(was_granted(object_of(1)));
}

TEST_CASE_FIXTURE(shared_store, "requests are granted in order of arrival, whatever their shards") {
  create(object_of(0), 100);
  create(object_of(2), 60);
  create(object_of(1), 60);
  abort(object_of(0));
  deliver_all();
  CHECK(was_granted(object_of(2)));
  CHECK_FALSE(was_granted(object_of(1)));
}

TEST_CASE_FIXTURE(shared_store, "the least recently used copy of all shards makes space") {
  put(object_of(2), 40, copy_kind::secondary);
  put(object_of(0), 40, copy_kind::secondary);
  create(object_of(1), 50);
  deliver_all();
  CHECK(freed_order() == std::vector{object_of(2)});
}

TEST_CASE_FIXTURE(shared_store, "the store stalls only when no shard can move anything") {
  put(object_of(0), 50);
  put(object_of(1), 50);
  pin(object_of(0));
  create(object_of(2), 60);
  deliver_all();
  CHECK_FALSE(stall);
  finish_spill();
  deliver_all();
  CHECK(stall);
}

TEST_CASE_FIXTURE(shared_store, "every shard looks for dead readers when readers hold the store") {
  put(object_of(0), 100);
  pin(object_of(0));
  create(object_of(1), 10);
  deliver_all();
  CHECK(reader_checks == 3);
}

TEST_CASE_FIXTURE(real_space, "all that is below the threshold is lent at once") {
  CHECK(space.credit().available() == 100);
}

TEST_CASE_FIXTURE(real_space, "credit is taken back before a request waits") {
  CHECK(create(0, object_of(0), 100));
  CHECK(has_effect<grant_create>());
  CHECK(space.credit().available() == 0);
}

TEST_CASE_FIXTURE(real_space, "credit that a creator took stays out") {
  REQUIRE(space.credit().take(60, space.backlog(1), creator_pace::bounded));
  CHECK(create(0, object_of(0), 40));
  CHECK(has_effect<grant_create>());
  auto use = space.inspect([](const store_table& table) { return table.use(); });
  CHECK(use.lent_bytes == 60);
}

TEST_CASE_FIXTURE(real_space, "a shard is woken once, and hears what waits before its own event") {
  create(0, object_of(0), 100);
  create(1, object_of(1), 50);
  space.collect_effects(0, effects);
  woken.clear();
  static_cast<void>(space.try_event(0, effects, woken, [&](store_table& table, store_effects& out) {
    table.abort(object_number(object_of(0)), out);
  }));
  CHECK(woken == std::vector<std::uint32_t>{1});
  effects.clear();
  CHECK_FALSE(create(1, object_of(1), 10));
  CHECK(has_effect<grant_create>());
  space.inspect([](const store_table& table) { CHECK(table.stats().unsealed.objects == 1); });
}

TEST_CASE_FIXTURE(real_space,
                  "a shard that has several effects to carry out is woken for the first") {
  create(0, object_of(0), 100);
  create(1, object_of(1), 30);
  create(1, object_of(1, 1), 30);
  woken.clear();
  space.answer(0, effects, woken, [&](store_table& table, store_effects& out) {
    table.abort(object_number(object_of(0)), out);
  });
  CHECK(woken == std::vector<std::uint32_t>{1});
}

TEST_CASE_FIXTURE(real_space, "readers leave the stamp that the store looks for") {
  auto stamp = [this] {
    return space.inspect([](const store_table& table) { return table.current_stamp(); });
  };
  create(0, object_of(0), 60);
  space.answer(0, effects, woken, [&](store_table& table, store_effects& out) {
    table.seal(object_number(object_of(0)), out);
  });
  CHECK(space.credit().stamp() == stamp());
  auto before = stamp();
  create(0, object_of(0, 1), 60);
  CHECK(stamp() != before);
  CHECK(space.credit().stamp() == stamp());
}

TEST_CASE("credit is topped up when more than half of it is gone") {
  store_space space{{.capacity_bytes = 1'000, .spill_threshold = 1.0, .low_water = 1.0}, 100};
  shard_effects effects;
  std::vector<std::uint32_t> woken;
  shard_backlog backlog;
  auto look = [&] {
    space.answer(0, effects, woken, [](store_table& table, store_effects& out) {
      table.spilling_possible(spill_round{1}, out);
    });
    return space.credit().available();
  };
  REQUIRE(look() == 100);
  REQUIRE(space.credit().take(50, backlog, creator_pace::unbounded));
  CHECK(look() == 50);
  REQUIRE(space.credit().take(1, backlog, creator_pace::unbounded));
  CHECK(look() == 100);
}

TEST_CASE("what is lent is a good part of the credit, or nothing") {
  for (auto [capacity, lent] : {std::pair{130, 2}, {129, 0}}) {
    store_space space{{.capacity_bytes = static_cast<std::size_t>(capacity),
                       .spill_threshold = 1.0,
                       .low_water = 1.0},
                      128};
    shard_effects effects;
    std::vector<std::uint32_t> woken;
    shard_backlog backlog;
    REQUIRE(space.credit().take(128, backlog, creator_pace::unbounded));
    space.answer(0, effects, woken, [](store_table& table, store_effects& out) {
      table.spilling_possible(spill_round{1}, out);
    });
    CHECK(space.credit().available() == static_cast<std::uint64_t>(lent));
  }
}

TEST_CASE("a small store lends all it has, however much might be lent") {
  store_space space{three_shards, 1'000'000};
  CHECK(space.credit().available() == 100);
}

TEST_CASE("shards on many threads never have more than the store's space, and leave nothing") {
  constexpr std::uint32_t shards = 4;
  constexpr std::size_t capacity = 1'000'000;
  store_space space{{.capacity_bytes = capacity, .shards = shards}, capacity};
  std::vector<std::thread> threads;
  for (std::uint32_t shard = 0; shard < shards; ++shard)
    threads.emplace_back([&space, shard] {
      shard_effects effects;
      std::vector<std::uint32_t> woken;
      std::uint64_t number = 0;
      for (int round = 0; round < 2'000; ++round) {
        do
          ++number;
        while (home_shard(number, shards) != shard);
        auto size = std::size_t{1} + number * 37 % (capacity / 3);
        if (space.credit().take(size, space.backlog(shard), creator_pace::unbounded)) {
          space.answer(shard, effects, woken,
                       [&](store_table& table, store_effects& out) { table.take_back(size, out); });
          space.backlog(shard).settle(size);
        }
        space.answer(shard, effects, woken, [&](store_table& table, store_effects& out) {
          table.create(token_number(number), object_number(number), size, copy_kind::primary, out);
        });
        for (auto granted = false; !granted; std::this_thread::yield()) {
          for (const auto& effect : effects)
            granted = granted || std::holds_alternative<grant_create>(effect);
          effects.clear();
          space.collect_effects(shard, effects);
          for (const auto& effect : effects)
            granted = granted || std::holds_alternative<grant_create>(effect);
        }
        effects.clear();
        space.answer(shard, effects, woken, [&](store_table& table, store_effects& out) {
          table.abort(object_number(number), out);
        });
      }
    });
  for (auto& thread : threads)
    thread.join();
  space.inspect([](const store_table& table) {
    table.check_invariants();
    CHECK(table.used_bytes() == table.stats().lent_bytes);
  });
}

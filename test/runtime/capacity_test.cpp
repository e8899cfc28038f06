// A put succeeds while the store has space for it, whatever the number of shards; and what is
// refused says why.

#include <algorithm>
#include <atomic>
#include <latch>
#include <limits>
#include <random>
#include <thread>

#include "../contains.hpp"
#include "../temporary_directory.hpp"
#include "one_node.hpp"

using namespace mobula;
using namespace std::literals;
using test::contains;

namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

/// A node whose store has so many bytes and shards.
struct sized_store {
  testing::simulation sim;
  mobula::node* node = nullptr;

  mobula::node& start(std::size_t bytes, std::uint32_t shards) {
    auto options = sim.default_options();
    options.store_size_bytes = bytes;
    options.shards = shards;
    node = &sim.add_node(options);
    return *node;
  }
};

} // namespace

TEST_CASE("twenty arrays of 3 MB fit into 64 MiB, on any number of shards") {
  for (std::uint32_t shards : {1, 2, 4, 8, 64}) {
    sized_store store;
    auto& node = store.start(64 * mib, shards);
    std::vector<ObjectRef<bytes>> held;
    for (int count = 0; count < 20; ++count)
      held.push_back(node.create<bytes>(3'000'000).seal());
    CHECK(node.stats().resident.bytes == 60'000'000);
    CHECK(node.stats().refusals == 0);
  }
}

TEST_CASE("one object may be as large as the store") {
  for (std::uint32_t shards : {1, 4, 64}) {
    sized_store store;
    auto& node = store.start(8 * mib, shards);
    auto whole = node.put(std::string(8 * mib - 100, 'w'));
    CHECK(node.get(whole)->size() == 8 * mib - 100);
    whole = {};
    auto bytes_of_store = node.create<bytes>(8 * mib).seal();
    CHECK(node.get(bytes_of_store)->size() == 8 * mib);
  }
}

TEST_CASE_FIXTURE(sized_store, "credit that was lent ahead makes no put wait") {
  auto& node = start(8 * mib, 8);
  auto small = node.put(std::string(200'000, 's'));
  REQUIRE(node.stats().lent_bytes > 0);
  auto before = sim.now();
  auto rest = node.put(std::string(8 * mib - 400'000, 'r'));
  CHECK(sim.now() == before);
  CHECK(node.stats().lent_bytes == 0);
}

TEST_CASE_FIXTURE(sized_store,
                  "an actor's put has the space that was lent ahead, and all there is") {
  auto& node = start(8 * mib, 4);
  auto small = node.put(std::string(200'000, 's'));
  ObjectRef<std::string> large;
  sim.system().spawn(
    [&](caf::event_based_actor*) { large = node.put(std::string(8 * mib - 400'000, 'r')); });
  sim.run();
  CHECK(node.get(large)->size() == 8 * mib - 400'000);
}

TEST_CASE("a put is refused only where less than its size is free") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    sized_store store;
    auto& node = store.start(16 * mib, static_cast<std::uint32_t>(1 + random() % 64));
    std::vector<ObjectRef<std::string>> held;
    std::size_t size = 0;
    auto fill = [&] {
      for (;;) {
        size = 110'000 + random() % (seed % 2 == 0 ? 400'000 : 6 * mib);
        held.push_back(node.put(std::string(size, 'x')));
      }
    };
    CHECK(error_of(fill) == error_type::store_full);
    CHECK(16 * mib - node.stats().resident.bytes < size);
  }
}

TEST_CASE("threads that fill a store are refused only where less than their size is free") {
  for (std::uint32_t shards : {1, 3, 16}) {
    config settings;
    settings.set("mobula.store-size", std::string{"32MiB"});
    settings.set("mobula.shards", static_cast<std::int64_t>(shards));
    settings.set("mobula.full-timeout", caf::timespan{100ms});
    caf::actor_system system{settings};
    node node{system};
    constexpr std::size_t size = 500'000;
    constexpr std::size_t fitting = 32 * mib / size;
    std::atomic<std::size_t> stored = 0;
    // Nobody lets go before all have been refused.
    std::latch refused{6};
    std::vector<std::thread> threads;
    for (int index = 0; index < 6; ++index)
      threads.emplace_back([&] {
        std::vector<ObjectRef<std::string>> held;
        auto fill = [&] {
          for (;; ++stored)
            held.push_back(node.put(std::string(size, 'x')));
        };
        CHECK(error_of(fill) == error_type::store_full);
        refused.arrive_and_wait();
      });
    for (auto& thread : threads)
      thread.join();
    CHECK(stored == fitting);
  }
}

// -- refusals -------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(sized_store,
                  "a put without space says what is referenced, and which option helps") {
  auto& node = start(4 * mib, 2);
  auto held = node.put(std::string(3'000'000, 'x'));
  auto text = message_of([&] { static_cast<void>(node.put(std::string(2'000'000, 'y'))); });
  CHECK(contains(text, "no space for the 2000000 bytes"));
  CHECK(contains(text, "a store of 4194304"));
  CHECK(contains(text, "3000000 bytes are referenced, without a directory to spill them to"));
  CHECK(contains(text, "1194304 are free"));
  CHECK(contains(text, "set mobula.spill-dirs"));
  CHECK_FALSE(contains(text, "let go of views"));
}

TEST_CASE_FIXTURE(sized_store, "a put without space says what is being read") {
  auto options = sim.default_options();
  test::temporary_directory directory;
  options.store_size_bytes = 4 * mib;
  options.spill_directories = {directory.path()};
  auto& node = sim.add_node(options);
  auto view = node.get(node.put(std::string(3'000'000, 'x')));
  auto text = message_of([&] { static_cast<void>(node.put(std::string(2'000'000, 'y'))); });
  CHECK(contains(text, "3000000 bytes are being read"));
  CHECK(contains(text, "let go of views"));
  CHECK_FALSE(contains(text, "set mobula.spill-dirs"));
}

TEST_CASE_FIXTURE(sized_store, "a put that finds space only in pieces says how large they are") {
  auto& node = start(4 * mib, 2);
  std::vector<ObjectRef<std::string>> held;
  for (int count = 0; count < 8; ++count)
    held.push_back(node.put(std::string(500'000, 'x')));
  for (std::size_t index = 0; index < 8; index += 2)
    held[index] = {};
  auto text = message_of([&] { static_cast<void>(node.put(std::string(1'500'000, 'y'))); });
  CHECK(contains(text, "are free in pieces of at most "));
}

TEST_CASE_FIXTURE(sized_store, "what is larger than the store is refused with both sizes") {
  auto& node = start(4 * mib, 2);
  auto text = message_of([&] { static_cast<void>(node.put(std::string(5'000'000, 'y'))); });
  CHECK(contains(text, "5000000 bytes, but the whole store only 4194304; raise mobula.store-size"));
}

TEST_CASE_FIXTURE(sized_store, "a builder larger than the store is refused with both sizes") {
  auto& node = start(4 * mib, 2);
  auto refused = [&] {
    static_cast<void>(node.create<array<double>>(std::size_t{1} << 40));
  };
  CHECK(error_of(refused) == error_type::store_full);
  CHECK(contains(message_of(refused), "8796093022208 bytes"));
  CHECK(contains(message_of(refused), "4194304"));
}

TEST_CASE_FIXTURE(sized_store, "a builder of a shape that cannot be is refused with its extents") {
  auto& node = start(4 * mib, 2);
  constexpr std::uint64_t many = std::uint64_t{1} << 40;
  auto overflowing = [&] {
    static_cast<void>(node.create<array<double>>(array_shape{many, many}));
  };
  CHECK(error_of(overflowing) == error_type::invalid_argument);
  CHECK(contains(message_of(overflowing), "1099511627776 x 1099511627776"));
  auto too_many_bytes = [&] {
    static_cast<void>(node.create<array<double>>(array_shape{many, many >> 18U}));
  };
  CHECK(error_of(too_many_bytes) == error_type::invalid_argument);
  auto shapeless = [&] {
    static_cast<void>(node.create<array<double>>(array_shape{}));
  };
  CHECK(error_of(shapeless) == error_type::invalid_argument);
  auto countless = [&] {
    static_cast<void>(node.create<bytes>(std::numeric_limits<std::size_t>::max()));
  };
  CHECK(error_of(countless) == error_type::invalid_argument);
}

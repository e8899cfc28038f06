// Random schedules of several nodes that pull from each other, and the shape of what they make.

#include <cmath>

#include <doctest/doctest.h>

#include "transfer_cluster.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr std::uint64_t seeds = 1'500;
constexpr std::size_t max_steps = 400'000;

pull_config random_pulls(std::mt19937_64& random) {
  return {.chunk_bytes = 1 + random() % 20,
          .chunks_per_pull = 1 + random() % 4,
          .lanes_per_node = 1 + random() % 3,
          .max_asked_bytes = 1 + random() % 200,
          .max_admitted = 1 + random() % 4,
          .max_admitted_bytes = 1 + random() % 200,
          .max_sources = 1 + random() % 5};
}

push_config random_pushes(std::mt19937_64& random) {
  return {.chunk_bytes = 1 + random() % 20,
          .sends_per_connection = 1 + random() % 3,
          .max_sends = 1 + random() % 8,
          .asks_per_connection = 1 + random() % 10,
          .readers_per_object = 1 + random() % 3};
}

/// Wants, cancels, evicts, squeezes, cuts and crashes at random; then lets everything come to its
/// end.
class random_schedule {
public:
  explicit random_schedule(std::uint64_t seed)
    : random_(seed), nodes_(2 + random_() % 5),
      cluster_(seed, nodes_, random_pulls(random_), random_pushes(random_), 100 + random_() % 400) {
    for (std::uint64_t number = 1; number <= objects; ++number)
      cluster_.create(number, random_() % nodes_, random_() % 120);
  }

  void run() {
    for (int i = 0; i < 400; ++i) {
      act();
      for (auto steps = random_() % 8; steps > 0; --steps)
        cluster_.step();
    }
    REQUIRE(cluster_.drain(max_steps) < max_steps);
    for (std::size_t i = 0; i < nodes_; ++i)
      if (cluster_.all[i]->alive)
        check_end(*cluster_.all[i]);
  }

  std::uint64_t arrived = 0;
  std::map<error_type, std::uint64_t> failures;
  std::uint64_t lost_asks = 0;
  std::uint64_t restarts = 0;

private:
  static constexpr std::uint64_t objects = 6;

  void act() {
    auto number = 1 + random_() % objects;
    auto where = random_() % nodes_;
    switch (random_() % 40) {
      case 0:
      case 1:
        return cluster_.cancel(where, number);
      case 2:
      case 3:
        return cluster_.evict(where, number);
      case 4:
      case 5:
        if (!cluster_.links.empty())
          cluster_.cut(random_() % cluster_.links.size());
        return;
      case 6:
        cluster_.fire_next_timer();
        return;
      case 7:
        if (random_() % 20 == 0 && cluster_.all[where]->alive)
          cluster_.crash(where);
        return;
      case 8:
        return cluster_.squeeze(where, random_() % 200);
      default:
        cluster_.request(where, number, pull_priority{static_cast<std::uint8_t>(random_() % 3)});
    }
  }

  void check_end(const transfer_cluster::node& node) {
    auto pulls = node.pull.stats();
    auto pushes = node.push.stats();
    CHECK(node.requested.empty());
    CHECK(pulls.objects + pulls.requests + pulls.asks + pulls.admitted == 0);
    CHECK(pushes.asks + pushes.objects + pushes.sends == 0);
    CHECK(node.buffers.empty());
    CHECK(node.kept.empty());
    arrived += pulls.arrived_objects;
    for (auto [error, count] : node.failures)
      failures[error] += count;
    lost_asks += pulls.lost_asks;
    restarts += pulls.restarts;
  }

  std::mt19937_64 random_;
  std::size_t nodes_;
  transfer_cluster cluster_;
};

/// Lets all nodes but the first pull one object of the first at the same time.
std::uint64_t owner_bytes(std::uint64_t seed, std::size_t nodes, std::size_t size) {
  transfer_cluster cluster{seed, nodes, {.chunk_bytes = 10}, {}, 1'000'000};
  cluster.create(1, 0, size);
  for (std::size_t reader = 1; reader < nodes; ++reader)
    cluster.request(reader, 1, pull_priority::get);
  REQUIRE(cluster.drain(max_steps) < max_steps);
  for (std::size_t reader = 1; reader < nodes; ++reader)
    REQUIRE(cluster.all[reader]->copies.contains(1));
  return cluster.all[0]->sent_bytes;
}

} // namespace

TEST_CASE("after any schedule every object is whole or failed once, and nothing is left") {
  std::uint64_t arrived = 0;
  std::map<error_type, std::uint64_t> failures;
  std::uint64_t lost_asks = 0;
  std::uint64_t restarts = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    random_schedule schedule{seed};
    schedule.run();
    arrived += schedule.arrived;
    for (auto [error, count] : schedule.failures)
      failures[error] += count;
    lost_asks += schedule.lost_asks;
    restarts += schedule.restarts;
  }
  // The schedules are worth something only if they go everywhere.
  CHECK(arrived > 10 * seeds);
  CHECK(failures[error_type::store_full] > seeds / 10);
  CHECK(failures[error_type::owner_died] > seeds / 10);
  CHECK(lost_asks > seeds);
  MESSAGE("arrived ", arrived, ", lost asks ", lost_asks, ", restarts ", restarts);
  for (auto [error, count] : failures)
    MESSAGE(to_string(error), " ", count);
}

TEST_CASE("an object that many want at once leaves its owner a few times only") {
  constexpr std::size_t size = 160;
  for (std::size_t nodes : {2, 4, 8, 16, 32}) {
    std::uint64_t most = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed)
      most = std::max(most, owner_bytes(seed, nodes, size));
    MESSAGE(nodes, " nodes: ", static_cast<double>(most) / size, " times its size");
    CHECK(static_cast<double>(most) <= (1 + std::log2(nodes)) * size);
  }
}

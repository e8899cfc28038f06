// Random schedules of joins, crashes, restarts, cuts and leaves against the membership tables.

#include <algorithm>
#include <random>

#include "member_world.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr std::uint64_t seeds = 1'000;
constexpr int events_a_seed = 500;
constexpr std::size_t max_nodes = 20;

/// Plays the network, the nodes' users and fate.
class random_schedule {
public:
  explicit random_schedule(std::uint64_t seed, std::size_t max_members = 512)
    : max_members_(max_members), random_(seed), places_(2 + random_() % (max_nodes - 1)),
      world_(random_() % 4 == 0 ? dialing::adds_links : dialing::shares_links) {
    for (std::uint16_t port = 1; port <= places_; ++port)
      start(port);
  }

  void run() {
    for (int i = 0; i < events_a_seed; ++i)
      step();
    world_.cuts.clear();
    settle();
    check_reports();
    auto parts = components();
    parts_ += parts.size();
    for (const auto& part : parts)
      CHECK(world_.complete(part));
    // Parts that lost each other for too long, or never met, need their users.
    for (std::size_t index = 1; index < parts.size(); ++index)
      world_.join(parts[index].front(), world_.nodes[parts.front().front()].port);
    settle();
    CHECK(world_.complete(live()));
    check_reports();
  }

  /// Nodes that know as many as they may come and go; the last one is to forget all others.
  void run_to_the_last() {
    for (int i = 0; i < events_a_seed; ++i)
      step();
    auto nodes = live();
    for (std::size_t index = 1; index < nodes.size(); ++index)
      world_.leave(nodes[index]);
    settle();
    const auto& last = world_.nodes[nodes.front()];
    CHECK(last.table->known() == 0);
    CHECK(last.table->contacts() == 0);
    CHECK(last.members.empty());
    CHECK(last.open_joins.empty());
  }

  [[nodiscard]] std::uint64_t parts() const {
    return parts_;
  }

  [[nodiscard]] const member_world& world() const {
    return world_;
  }

private:
  void start(std::uint16_t port) {
    world_.start(1 + random_() % 1'000'000'000, port, {"c", 1, "1"}, max_members_);
  }

  std::vector<std::size_t> live() const {
    std::vector<std::size_t> result;
    for (std::size_t index = 0; index < world_.nodes.size(); ++index)
      if (world_.nodes[index].alive && !world_.nodes[index].table->has_left())
        result.push_back(index);
    return result;
  }

  std::uint16_t any_port() {
    return static_cast<std::uint16_t>(1 + random_() % places_);
  }

  void step() {
    switch (random_() % 40) {
      case 0:
        return fate();
      case 1:
      case 2:
        return join();
      case 3:
        return world_.timers.empty() ? void() : world_.fire_timer();
      default:
        network();
    }
  }

  void join() {
    auto nodes = live();
    if (!nodes.empty())
      world_.join(nodes[random_() % nodes.size()], any_port());
  }

  void fate() {
    auto nodes = live();
    switch (random_() % 6) {
      case 0:
      case 1:
        return world_.cut(any_port(), any_port());
      case 2:
        return heal();
      case 3:
        if (nodes.size() > 2)
          world_.crash(nodes[random_() % nodes.size()]);
        return;
      case 4:
        if (nodes.size() > 2)
          world_.leave(nodes[random_() % nodes.size()]);
        return;
      default:
        restart();
    }
  }

  void heal() {
    if (!world_.cuts.empty())
      world_.cuts.erase(world_.cuts.begin());
  }

  /// Starts a node where none is, under a new incarnation.
  void restart() {
    auto port = any_port();
    auto nodes = live();
    if (std::ranges::none_of(nodes, [&](auto index) { return world_.nodes[index].port == port; }))
      start(port);
  }

  /// One dial ends, one message arrives, or one side learns of a loss.
  void network() {
    if (!world_.dials.empty() && random_() % 3 == 0)
      return world_.end_dial(random_() % world_.dials.size());
    if (world_.connections.empty())
      return;
    auto position = random_() % world_.connections.size();
    auto side = random_() % 2;
    auto& link = world_.connections[position];
    // What was in flight when the link broke is lost from some point on.
    if (link.broken && random_() % 2 == 0)
      link.ends[side].arriving.clear();
    if (world_.has_news(position, side))
      world_.deliver(position, side);
  }

  /// Runs in random order until nothing is left to happen.
  void settle() {
    for (std::uint64_t round = 0;; ++round) {
      REQUIRE(round < 10'000'000);
      auto idle = world_.dials.empty();
      for (std::size_t position = 0; idle && position < world_.connections.size(); ++position)
        idle = !world_.has_news(position, 0) && !world_.has_news(position, 1);
      if (!idle)
        network();
      else if (!world_.timers.empty())
        world_.fire_timer();
      else
        return;
    }
  }

  /// The live nodes, grouped by who has a session with whom.
  std::vector<std::vector<std::size_t>> components() const {
    std::vector<std::vector<std::size_t>> result;
    for (auto index : live()) {
      std::vector<std::size_t> merged{index};
      std::erase_if(result, [&](const auto& part) {
        if (std::ranges::none_of(part, [&](auto other) { return world_.connected(index, other); }))
          return false;
        merged.insert(merged.end(), part.begin(), part.end());
        return true;
      });
      result.push_back(std::move(merged));
    }
    return result;
  }

  void check_reports() const {
    for (auto index : live()) {
      const auto& node = world_.nodes[index];
      CHECK(node.open_joins.empty());
      CHECK(node.refusals.empty());
      CHECK(node.members.size() == node.table->connected().size());
    }
  }

  std::size_t max_members_;
  std::mt19937_64 random_;
  std::size_t places_;
  member_world world_;
  std::uint64_t parts_ = 0;
};

} // namespace

TEST_CASE("after any schedule all live nodes know each other exactly once, and no dead one") {
  std::uint64_t lost = 0;
  std::uint64_t replaced = 0;
  std::uint64_t left = 0;
  std::uint64_t failed_joins = 0;
  std::uint64_t joins = 0;
  std::uint64_t parts = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    random_schedule schedule{seed};
    schedule.run();
    parts += schedule.parts();
    for (const auto& node : schedule.world().nodes) {
      auto count = [&](departure why) {
        return std::ranges::count(node.departures, why);
      };
      lost += count(departure::connection_lost);
      replaced += count(departure::replaced);
      left += count(departure::left);
      for (const auto& [number, text] : node.joins)
        (text.empty() ? joins : failed_joins) += 1;
    }
  }
  MESSAGE("joins ", joins, ", failed ", failed_joins, ", lost ", lost, ", replaced ", replaced,
          ", left ", left, ", parts ", parts);
  // The schedules are worth something only if they go everywhere.
  CHECK(joins > 10 * seeds);
  CHECK(failed_joins > seeds / 10);
  CHECK(lost > seeds);
  CHECK(left > seeds);
  CHECK(replaced > 10);
}

TEST_CASE("after any schedule of nodes that know as many as they may, the last one forgets all") {
  std::uint64_t refused = 0;
  std::uint64_t joins = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    random_schedule schedule{seed, 1 + seed % 3};
    schedule.run_to_the_last();
    for (const auto& node : schedule.world().nodes) {
      refused += node.refusals.size();
      joins += static_cast<std::uint64_t>(
        std::ranges::count(node.joins, "", [](const auto& join) { return join.second; }));
    }
  }
  MESSAGE("joins ", joins, ", refused ", refused);
  CHECK(joins > seeds);
  CHECK(refused > seeds / 10);
}

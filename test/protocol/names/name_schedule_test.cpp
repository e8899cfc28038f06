// Random schedules of publications, cuts and heals against the name tables.

#include <algorithm>
#include <random>

#include "name_world.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr std::uint64_t seeds = 2'000;
constexpr int events_a_seed = 300;

class random_schedule {
public:
  explicit random_schedule(std::uint64_t seed)
    : random_(seed), count_(2 + random_() % 9), world_(count_) {
    // nop
  }

  void run() {
    for (int i = 0; i < events_a_seed; ++i)
      step();
    world_.connect_all();
    for (auto busy = true; busy;) {
      deliver();
      busy =
        std::ranges::any_of(world_.links, [](const auto& each) { return !each.second.empty(); });
    }
    check_agreement();
  }

  [[nodiscard]] std::uint64_t lost() const {
    std::uint64_t result = 0;
    for (const auto& node : world_.nodes)
      result += node.lost.size();
    return result;
  }

  [[nodiscard]] std::uint64_t published() const {
    return published_;
  }

private:
  std::size_t any() {
    return random_() % count_;
  }

  std::string any_name() {
    return std::string(1, static_cast<char>('a' + random_() % 6));
  }

  void deliver() {
    world_.deliver(any(), any());
  }

  void step() {
    switch (random_() % 12) {
      case 0:
      case 1:
        return world_.connect(any(), any());
      case 2:
        return world_.disconnect(any(), any());
      case 3:
      case 4:
        published_ += world_.publish(any(), any_name()) ? 0 : 1;
        return;
      case 5:
        return world_.unpublish(any(), any_name());
      default:
        deliver();
    }
  }

  /// All see the same names, and each name's keeper believes in it, and nobody else does.
  void check_agreement() const {
    for (char letter = 'a'; letter < 'a' + 6; ++letter) {
      std::string name(1, letter);
      auto keeper = world_.keeper(0, name);
      for (std::size_t index = 0; index < count_; ++index) {
        CHECK(world_.keeper(index, name) == keeper);
        CHECK(world_.nodes[index].own.contains(name) == (keeper == index));
      }
    }
  }

  std::mt19937_64 random_;
  std::size_t count_;
  name_world world_;
  std::uint64_t published_ = 0;
};

} // namespace

TEST_CASE("after any schedule all nodes agree who keeps each name, and so does the keeper") {
  std::uint64_t published = 0;
  std::uint64_t lost = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    random_schedule schedule{seed};
    schedule.run();
    published += schedule.published();
    lost += schedule.lost();
  }
  MESSAGE("published ", published, ", lost to another ", lost);
  // The schedules are worth something only if they go everywhere.
  CHECK(published > 10 * seeds);
  CHECK(lost > seeds);
}

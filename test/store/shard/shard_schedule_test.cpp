// Random schedules of clients, readers, answers and disk against a store of one shard or several.

#include <algorithm>
#include <array>
#include <random>
#include <utility>
#include <vector>

#include "shard_shell.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr std::uint64_t seeds = 2'500;
constexpr int events_a_seed = 250;
constexpr std::size_t capacity = 1'000;

class random_schedule {
public:
  explicit random_schedule(std::uint64_t seed)
    : random_(seed), shell_({.capacity_bytes = capacity,
                             .shards = static_cast<std::uint32_t>(1 + seed / 6 % 4),
                             .spill_threshold = 0.8,
                             .low_water = 0.6,
                             .max_waiting = 12,
                             .overtaking_window = 4},
                            seed % 3 == 0 ? answers::prompt : answers::late, serving::hold) {
    if (seed % 2 == 0)
      shell_.heap.emplace(capacity + capacity / 16);
  }

  /// Returns how often the heap had no place for what was granted.
  [[nodiscard]] std::size_t memory_refusals() const {
    return shell_.memory_refusals;
  }

  /// Returns the figures of the whole run.
  store_table_stats run() {
    for (int i = 0; i < events_a_seed; ++i)
      step();
    if (pick(2) == 0)
      calm_down();
    if (pick(2) == 0)
      shell_.shut_down();
    drain();
    check_nothing_left();
    return shell_.table.stats();
  }

private:
  std::size_t pick(std::size_t below) {
    return std::uniform_int_distribution<std::size_t>{0, below - 1}(random_);
  }

  std::size_t random_size() {
    // Mostly small, sometimes huge, now and then impossible.
    return pick(8) == 0 ? 1 + pick(capacity + capacity / 10) : 1 + pick(capacity / 8);
  }

  copy_kind random_kind() {
    return pick(2) == 0 ? copy_kind::primary : copy_kind::secondary;
  }

  std::uint64_t known_object() {
    return 1 + pick(std::max<std::uint64_t>(next_, 1));
  }

  /// Prefers objects that are on disk.
  std::uint64_t wanted_object() {
    std::vector<std::uint64_t> spilled;
    for (const auto& copy : shell_.freed)
      if (copy.reason == free_reason::spilled)
        spilled.push_back(copy.id.sequence);
    return spilled.empty() || pick(4) == 0 ? known_object() : spilled[pick(spilled.size())];
  }

  void step() {
    switch (pick(20)) {
      case 0:
      case 1:
      case 2:
        return create();
      case 3:
      case 4:
        end_creation(pick(5) == 0);
        return;
      case 5:
      case 6:
        return read(known_object());
      case 7:
      case 8:
        stop_reading();
        return;
      case 9:
        if (pick(2) == 0)
          shell_.release(known_object());
        return;
      case 10:
        return shell_.request(++requests_, wanted_object());
      case 11:
        return shell_.cancel(pick(2) == 0 ? 1 + pick(next_ + 1) : requests_);
      case 12:
        return credit();
      case 13:
      case 14:
        return disk();
      case 15:
        return shell_.tell_unpinned(object_number(known_object()));
      case 16:
      case 17:
        return shell_.deliver(static_cast<std::uint32_t>(pick(shell_.outboxes.size())));
      default:
        return answer();
    }
  }

  void create() {
    ++next_;
    shell_.create(next_, random_size(), random_kind());
    creations_.push_back(next_);
  }

  /// Seals or aborts one object that was granted and not yet ended, if there is one.
  bool end_creation(bool abort) {
    auto granted =
      std::ranges::find_if(creations_, [&](auto number) { return shell_.was_granted(number); });
    if (granted == creations_.end())
      return false;
    auto number = *granted;
    creations_.erase(granted);
    if (abort)
      shell_.abort(number);
    else
      shell_.seal(number);
    return true;
  }

  void read(std::uint64_t number) {
    if (shell_.pin(number))
      shell_.touch(number);
  }

  bool stop_reading() {
    std::vector<std::uint64_t> pinned;
    for (const auto& [id, count] : shell_.pins)
      if (count > 0)
        pinned.push_back(id.sequence);
    if (!pinned.empty())
      shell_.unpin(pinned[pick(pinned.size())]);
    return !pinned.empty();
  }

  void credit() {
    if (taken_.empty() && shell_.idle_credit == 0)
      return shell_.lend(1 + pick(capacity / 4));
    if (shell_.idle_credit > 0 && pick(2) == 0) {
      auto bytes = 1 + pick(shell_.idle_credit);
      shell_.take_credit(bytes);
      taken_.push_back(bytes);
    } else if (!taken_.empty()) {
      end_credit(pick(4) == 0);
    }
  }

  void end_credit(bool abort) {
    auto bytes = taken_.back();
    taken_.pop_back();
    if (abort || (shell_.heap && !shell_.heap->take(object_number(next_ + 1), bytes)))
      shell_.take_back(bytes);
    else
      shell_.add_sealed(++next_, bytes, random_kind());
  }

  void disk() {
    if (pick(6) == 0)
      return shell_.spilling_possible();
    if (!shell_.late_failures.empty() && pick(3) == 0)
      return shell_.tell_late_failure(pick(shell_.late_failures.size()));
    if (!shell_.spills.empty() && pick(2) == 0)
      return end_spill();
    if (!shell_.restores.empty())
      end_restore();
  }

  void end_spill() {
    std::swap(shell_.spills.front(), shell_.spills[pick(shell_.spills.size())]);
    auto released = shell_.forgotten.contains(shell_.spills.front());
    auto choice = pick(8);
    if (choice == 0)
      shell_.fail_spill(spill_error::out_of_disk);
    else if (choice == 1)
      shell_.fail_spill_late(spill_error::io_error);
    else if (choice == 2)
      shell_.fail_spill(spill_error::beyond_limit);
    else if (choice == 3)
      shell_.fail_spill_late(spill_error::beyond_limit);
    else if (choice == 4 && released)
      shell_.fail_spill(spill_error::canceled);
    else
      shell_.finish_spill();
  }

  void end_restore() {
    std::swap(shell_.restores.front(), shell_.restores[pick(shell_.restores.size())]);
    auto released = shell_.forgotten.contains(shell_.restores.front());
    auto choice = pick(6);
    if (choice == 0)
      shell_.fail_restore(restore_error::record_lost);
    else if (choice == 1)
      shell_.fail_restore(restore_error::io_error);
    else if (choice == 2 && released)
      shell_.fail_restore(restore_error::canceled);
    else
      shell_.finish_restore();
  }

  void answer() {
    if (shell_.open_recalls > 0 && pick(3) == 0)
      return shell_.answer_recall();
    if (shell_.stall && pick(3) == 0)
      return shell_.give_up();
    if (!shell_.questions.empty())
      shell_.answer(pick(shell_.questions.size()));
  }

  /// Ends all faults: readers let go, creators finish, the disk works. Then every request ends.
  void calm_down() {
    std::size_t rounds = 0;
    for (auto waiting = true; waiting; waiting = shell_.table.stats().waiting.objects > 0) {
      REQUIRE(++rounds < 1'000);
      shell_.deliver_all();
      // Said once after a failure, and the failure itself may come later.
      if (shell_.spills_failed)
        shell_.spilling_possible();
      while (!shell_.late_failures.empty())
        shell_.tell_late_failure();
      while (stop_reading()) {
      }
      while (end_creation(false)) {
      }
      while (!taken_.empty())
        end_credit(false);
      while (!shell_.restores.empty())
        shell_.finish_restore();
      shell_.finish_all_spills();
      while (!shell_.questions.empty())
        shell_.answer(pick(shell_.questions.size()));
      while (shell_.open_recalls > 0)
        shell_.answer_recall();
    }
  }

  /// Lets everybody go home, in random order.
  void drain() {
    for (std::uint64_t number = 1; number <= next_; ++number)
      shell_.release(number);
    auto idle_rounds = 0;
    while (idle_rounds < 3) {
      auto before = progress();
      shell_.deliver_all();
      stop_reading();
      end_creation(pick(2) == 0);
      if (!taken_.empty())
        end_credit(true);
      if (shell_.idle_credit > 0 && shell_.open_recalls == 0)
        shell_.take_back(std::exchange(shell_.idle_credit, 0));
      if (!shell_.spills.empty())
        end_spill();
      if (!shell_.late_failures.empty())
        shell_.tell_late_failure();
      if (!shell_.restores.empty())
        end_restore();
      while (!shell_.questions.empty())
        shell_.answer(pick(shell_.questions.size()));
      if (shell_.open_recalls > 0)
        shell_.answer_recall();
      idle_rounds = progress() == before ? idle_rounds + 1 : 0;
    }
  }

  /// Any work done in a round of `drain` shows in one of these.
  std::array<std::size_t, 5> progress() const {
    std::size_t pins = 0;
    for (const auto& [id, count] : shell_.pins)
      pins += static_cast<std::size_t>(count);
    return {pins, shell_.words.size(), shell_.table.used_bytes(), shell_.restores.size(),
            creations_.size()};
  }

  void check_nothing_left() {
    auto stats = shell_.table.stats();
    CHECK(stats.used_bytes == 0);
    CHECK(stats.waiting.objects == 0);
    CHECK(stats.spilled.objects == 0);
    CHECK(shell_.words.empty());
    for (std::uint64_t number = 1; number <= next_; ++number)
      REQUIRE_FALSE(shell_.table.contains(object_number(number)));
    if (!shell_.drained)
      shell_.shut_down();
    // It may have asked for credit that is all gone.
    while (shell_.open_recalls > 0)
      shell_.answer_recall();
    CHECK(shell_.drained);
  }

  std::mt19937_64 random_;
  shard_shell shell_;
  std::uint64_t next_ = 0;
  std::uint64_t requests_ = 1'000'000;
  std::vector<std::uint64_t> creations_;
  std::vector<std::size_t> taken_;
};

} // namespace

TEST_CASE("after any schedule every invariant holds and nothing is left") {
  store_table_stats sum;
  std::size_t memory_refusals = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    random_schedule schedule{seed};
    auto stats = schedule.run();
    memory_refusals += schedule.memory_refusals();
    sum.evictions += stats.evictions;
    sum.unloads += stats.unloads;
    sum.spills += stats.spills;
    sum.restores += stats.restores;
    sum.spill_failures += stats.spill_failures;
    sum.overtakings += stats.overtakings;
    sum.stalls += stats.stalls;
  }
  // The schedules are worth something only if they go everywhere.
  CHECK(sum.evictions.objects > seeds);
  CHECK(sum.unloads.objects > seeds);
  CHECK(sum.spills.objects > seeds);
  CHECK(sum.restores.objects > seeds / 5);
  CHECK(sum.spill_failures > seeds / 2);
  CHECK(sum.overtakings > seeds);
  CHECK(sum.stalls > seeds);
  CHECK(memory_refusals > seeds / 10);
  MESSAGE("evictions ", sum.evictions.objects, ", unloads ", sum.unloads.objects, ", spills ",
          sum.spills.objects, ", restores ", sum.restores.objects, ", failed spills ",
          sum.spill_failures, ", overtakings ", sum.overtakings, ", stalls ", sum.stalls,
          ", grants without memory ", memory_refusals);
}

TEST_CASE("many creators against a store an eighth of their data are all served in the end") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    shard_shell shell{{.capacity_bytes = capacity}};
    std::vector<std::uint64_t> open;
    std::size_t offered = 0;
    for (std::uint64_t number = 1; offered < 8 * capacity; ++number) {
      auto size = 1 + random() % (number % 10 == 0 ? capacity : capacity / 20);
      offered += size;
      shell.create(number, size);
      open.push_back(number);
    }
    // Disk and creators take turns; nobody ever gives up.
    while (!open.empty()) {
      auto granted = std::ranges::find_if(open, [&](auto n) { return shell.was_granted(n); });
      REQUIRE((granted != open.end() || !shell.spills.empty()));
      if (granted != open.end()) {
        shell.seal(*granted);
        open.erase(granted);
      }
      if (!shell.spills.empty() && random() % 2 == 0)
        shell.finish_spill();
    }
    CHECK(shell.refusals.empty());
  }
}

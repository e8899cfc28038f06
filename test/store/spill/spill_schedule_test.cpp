// Random schedules of shards and a failing disk against the spill table.

#include <random>

#include "spill_shell.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr std::uint64_t seeds = 5'000;
constexpr int events_a_seed = 300;
constexpr std::uint64_t numbers = 60;

spill_config random_config(std::mt19937_64& random) {
  return {.directories = 1 + random() % 3,
          .max_file_bytes = 100 + random() % 400,
          .batch_bytes = 50 + random() % 200,
          .max_batch_records = 1 + random() % 8,
          .max_writes = 1 + random() % 3,
          .max_reads = 1 + random() % 3,
          .spill_limit_bytes = random() % 2 == 0 ? 0 : 600 + random() % 1'000,
          .dead_for_each_live = random() % 4,
          .max_skipped_retries = random() % 4,
          .max_read_attempts = 1 + random() % 3};
}

/// Plays the shards, which spill and restore an object only when that makes sense, and believe that
/// each request is answered exactly once.
class random_schedule {
public:
  explicit random_schedule(std::uint64_t seed)
    : random_(seed), config_(random_config(random_)), shell_(config_) {
  }

  [[nodiscard]] std::size_t dead_on_arrival() const {
    return shell_.dead_on_arrival;
  }

  [[nodiscard]] std::size_t overtaken_reads() const {
    return shell_.overtaken_reads;
  }

  spill_stats run() {
    for (int i = 0; i < events_a_seed; ++i) {
      step();
      collect_answers();
    }
    if (random_() % 2 == 0)
      shell_.shut_down();
    drain();
    auto stats = shell_.table.stats();
    CHECK(stats.files == 0);
    CHECK(stats.live_bytes + stats.dead_bytes + stats.pinned_bytes + stats.spilling_bytes == 0);
    CHECK(spilling_.empty());
    CHECK(restoring_.empty());
    CHECK(stats.moved_bytes * std::max<std::uint64_t>(1, config_.dead_for_each_live)
          <= stats.written_bytes);
    return stats;
  }

private:
  void step() {
    auto number = 1 + random_() % numbers;
    switch (random_() % 14) {
      case 0:
      case 1:
      case 2:
        return spill(number);
      case 3:
        return restore(number);
      case 4:
        return free(number);
      case 5:
      case 6:
      case 7:
        return end_write();
      case 8:
        return end_read();
      case 9:
        return end_delete();
      case 10:
        return shell_.retry();
      case 11:
        return end_move();
      case 12:
        return touch_moving();
      default:
        // A duplicate: the second request joins the first.
        if (spilling_.contains(number) && !freed_.contains(number))
          shell_.spill(number, 1);
    }
  }

  void free(std::uint64_t number) {
    if (spilling_.contains(number) || restoring_.contains(number))
      freed_.insert(number);
    shell_.free(number);
  }

  void spill(std::uint64_t number) {
    if (shell_.table.contains(object_number(number)) || spilling_.contains(number))
      return;
    shell_.spilled.erase(number);
    shell_.spill_failures.erase(number);
    shell_.restore_failures.erase(number);
    shell_.restored.erase(number);
    freed_.erase(number);
    spilling_.insert(number);
    shell_.spill(number, 1 + (random_() % 10 == 0 ? random_() % 900 : random_() % 60));
  }

  void restore(std::uint64_t number) {
    if (!shell_.spilled.contains(number) || !shell_.table.contains(object_number(number))
        || restoring_.contains(number) || spilling_.contains(number))
      return;
    shell_.restored.erase(number);
    shell_.restore_failures.erase(number);
    restoring_.insert(number);
    shell_.restore(number);
  }

  void end_write() {
    if (shell_.writes.empty())
      return;
    auto index = random_() % shell_.writes.size();
    auto records = shell_.writes[index].records.size();
    if (steady_disk_ || random_() % 4 != 0)
      shell_.finish_write(index);
    else
      shell_.fail_write(random_() % records,
                        random_() % 2 == 0 ? spill_error::io_error : spill_error::out_of_disk,
                        index);
  }

  void end_move() {
    if (shell_.moves.empty())
      return;
    auto index = random_() % shell_.moves.size();
    std::vector<record_move> ends(shell_.moves[index].records.size(), record_move::moved);
    if (random_() % 4 == 0)
      ends[random_() % ends.size()] = record_move::unreadable;
    std::optional<spill_error> error;
    if (random_() % 4 == 0) {
      ends.resize(random_() % ends.size());
      error = random_() % 2 == 0 ? spill_error::io_error : spill_error::out_of_disk;
    }
    shell_.end_move(index, ends, error);
  }

  /// Restores or frees an object whose record is being moved.
  void touch_moving() {
    if (shell_.moves.empty())
      return;
    const auto& records = shell_.moves[random_() % shell_.moves.size()].records;
    auto number = records[random_() % records.size()].id.sequence;
    if (random_() % 4 == 0)
      free(number);
    else
      restore(number);
  }

  void end_read() {
    if (shell_.reads.empty())
      return;
    auto index = random_() % shell_.reads.size();
    auto choice = random_() % 6;
    if (choice < 4)
      shell_.finish_read(index);
    else
      shell_.fail_read(choice == 4 ? restore_error::io_error : restore_error::record_lost, index);
  }

  void end_delete() {
    if (shell_.deletions.empty())
      return;
    auto index = random_() % shell_.deletions.size();
    if (random_() % 5 == 0)
      shell_.fail_delete(index);
    else
      shell_.finish_delete(index);
  }

  void collect_answers() {
    std::erase_if(spilling_, [&](auto number) {
      return shell_.spilled.contains(number) || shell_.spill_failures.contains(number);
    });
    std::erase_if(restoring_, [&](auto number) {
      return shell_.restored.contains(number) || shell_.restore_failures.contains(number);
    });
  }

  void drain() {
    for (std::uint64_t number = 1; number <= numbers; ++number)
      shell_.free(number);
    while (!shell_.writes.empty() || !shell_.moves.empty() || !shell_.reads.empty()
           || !shell_.deletions.empty() || shell_.table.stats().files > 0) {
      end_write();
      end_move();
      end_read();
      end_delete();
      shell_.retry();
      collect_answers();
    }
    collect_answers();
  }

  std::mt19937_64 random_;
  spill_config config_;
  bool steady_disk_ = random_() % 2 == 0; ///< whether writes of spills never fail
  spill_shell shell_;
  std::set<std::uint64_t> spilling_;
  std::set<std::uint64_t> restoring_;
  std::set<std::uint64_t> freed_; ///< while a request was open
};

} // namespace

TEST_CASE("after any schedule of spills and failures every invariant holds and no file is left") {
  std::uint64_t written = 0;
  std::uint64_t restored = 0;
  std::uint64_t failures = 0;
  std::uint64_t moved = 0;
  std::uint64_t unreadable = 0;
  std::uint64_t dead_on_arrival = 0;
  std::uint64_t overtaken_reads = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    random_schedule schedule{seed};
    auto stats = schedule.run();
    written += stats.written_objects;
    restored += stats.restored_objects;
    failures += stats.spill_failures;
    moved += stats.moved_objects;
    unreadable += stats.unreadable_moves;
    dead_on_arrival += schedule.dead_on_arrival();
    overtaken_reads += schedule.overtaken_reads();
  }
  // The schedules are worth something only if they go everywhere.
  CHECK(written > 10 * seeds);
  CHECK(restored > seeds);
  CHECK(failures > seeds);
  CHECK(moved > seeds / 2);
  CHECK(unreadable > seeds / 10);
  CHECK(dead_on_arrival > seeds / 10);
  CHECK(overtaken_reads > seeds / 50);
  MESSAGE("written ", written, ", restored ", restored, ", failed ", failures, ", moved ", moved,
          ", unreadable ", unreadable, ", dead on arrival ", dead_on_arrival, ", reads overtaken ",
          overtaken_reads);
}

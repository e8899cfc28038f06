// Readers against a shard that replaces objects all the time: no byte changes under a pin, and no
// report is lost.

#include "mobula/store/arena/arena_reader.hpp"

#include <array>
#include <atomic>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "table_fixture.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

/// What readers tell the shard.
class report_box {
public:
  void put(const object_id& id) {
    std::lock_guard guard{mutex_};
    reports_.push_back(id);
  }

  std::vector<object_id> take() {
    std::lock_guard guard{mutex_};
    return std::exchange(reports_, {});
  }

private:
  std::mutex mutex_;
  std::vector<object_id> reports_;
};

/// A shard that replaces its objects all the time, in the memory that it just got back, and readers
/// that look for any of them.
struct race_fixture : table_fixture {
  static constexpr std::uint64_t shelves = 12; ///< places that always hold some object

  /// The object of one place.
  struct shelf {
    std::uint64_t sequence = 0;
    slot_handle slot = no_slot;
    bool awaited = false; ///< a report is due
    bool doomed = false;
  };

  std::array<shelf, shelves> all{};
  std::atomic<std::uint64_t> newest{0};
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> changed_bytes{0};
  std::atomic<std::uint64_t> reads{0};
  report_box reports;
  std::uint64_t refusals = 0; ///< times the shard found an object pinned

  /// A place is reused with every object of its shelf.
  void put_next(shelf& where) {
    auto number = static_cast<std::uint64_t>(&where - all.data());
    auto turn = where.sequence / places + 1;
    where = {turn * places + number, no_slot, false, false};
    where.slot = publish(where.sequence);
    newest.store(turn, std::memory_order_relaxed);
  }

  void take_out(shelf& where) {
    auto result = where.doomed ? table.doom(where.slot) : table.try_withdraw(where.slot);
    where.awaited = result == reclaim_result::pinned;
    refusals += where.awaited ? 1 : 0;
    if (!where.awaited)
      put_next(where);
  }

  void take_reports() {
    for (const auto& id : reports.take())
      for (auto& shelf : all)
        if (shelf.awaited && object(shelf.sequence) == id)
          take_out(shelf);
  }

  void read(arena_reader& reader, std::uint64_t seed) {
    std::mt19937_64 random{seed};
    while (!stop.load(std::memory_order_relaxed)) {
      auto turn = newest.load(std::memory_order_relaxed) + random() % 2;
      auto sequence = turn * places + random() % shelves;
      auto [found, to_report] = reader.find(object(sequence));
      if (to_report)
        reports.put(*to_report);
      if (!found)
        continue;
      reads.fetch_add(1, std::memory_order_relaxed);
      if (!holds(*found, sequence))
        changed_bytes.fetch_add(1, std::memory_order_relaxed);
      if (reader.unpin(found->slot) == unpin_result::tell_shard)
        reports.put(object(sequence));
    }
  }
};

} // namespace

TEST_CASE_FIXTURE(race_fixture, "bytes of pinned objects never change, and no report is lost") {
  for (auto& shelf : all)
    put_next(shelf);
  std::array readers_of_arena{open_reader(), open_reader()};
  std::vector<std::jthread> threads;
  for (std::uint64_t i = 0; i < 4; ++i)
    threads.emplace_back([&, i] { read(*readers_of_arena[i % 2], i); });
  std::mt19937_64 random{2'024};
  while (reads < 100'000 || refusals < 1'000) {
    auto& shelf = all[random() % shelves];
    shelf.doomed = shelf.doomed || random() % 4 == 0;
    if (!shelf.awaited || shelf.doomed)
      take_out(shelf);
    take_reports();
  }
  stop = true;
  threads.clear();
  take_reports();
  CHECK(std::ranges::none_of(all, &shelf::awaited));
  CHECK(changed_bytes == 0);
  CHECK_FALSE(anything_pinned());
}

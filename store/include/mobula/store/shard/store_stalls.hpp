#pragma once

#include <cstdint>
#include <optional>

#include "mobula/store/shard/disk_readiness.hpp"
#include "mobula/store/shard/store_object.hpp"
#include "mobula/store/shard/store_objects.hpp"
#include "mobula/store/shard/store_queue.hpp"
#include "mobula/store/shard/store_relief.hpp"

namespace mobula {

/// When nothing that a store does can help those who wait: a *stall* begins when no answer, write
/// or read is under way, and ends with what makes space.
class store_stalls {
public:
  /// REQUIRES: all outlive this.
  store_stalls(std::uint32_t shards, const store_objects& objects, const disk_readiness& disk,
               const store_relief& relief, store_queue& queue, store_table_stats& counters)
    : shards_(shards), objects_(objects), disk_(disk), relief_(relief), queue_(queue),
      counters_(counters) {
    // nop
  }

  store_stalls(const store_stalls&) = delete;
  store_stalls& operator=(const store_stalls&) = delete;

  /// Begins a stall, or ends one, as things are at the end of an event.
  void watch(store_effects& effects);

  /// Something made space, or may: the full-store time begins anew.
  void end(store_effects& effects);

  /// What came later may overtake those who wait, which is no progress of theirs.
  void creator_is_done(const store_object& entry, store_effects& effects);

  /// Who waits has waited for long enough. Returns whether that is this stall.
  [[nodiscard]] bool give_up(stall_number number) noexcept;

  /// Refuses those who have waited since the stall began, as soon as no write or read runs.
  void refuse_overdue(store_effects& effects);

  /// Returns whether there is a stall, and nothing of the store's own that could end it.
  [[nodiscard]] bool is_stalled() const noexcept {
    return stall_ && !is_moving();
  }

  void check_invariants() const;

private:
  struct stall {
    stall_number number;
    std::uint64_t last_arrival;   ///< younger requests have not waited for all of it
    bool readers_checked = false; ///< `check_readers` was told
    bool overdue = false;         ///< raised by `give_up`: ends with the write or read under way
  };

  [[nodiscard]] bool is_moving() const noexcept;
  [[nodiscard]] stall_cause cause() const noexcept;

  std::uint32_t shards_;
  const store_objects& objects_;
  const disk_readiness& disk_;
  const store_relief& relief_;
  store_queue& queue_;
  store_table_stats& counters_;
  std::uint64_t stalls_ = 0;
  std::optional<stall> stall_;
};

} // namespace mobula

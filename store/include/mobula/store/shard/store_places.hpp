#pragma once

#include <array>
#include <cstddef>
#include <unordered_map>

#include "mobula/store/shard/disk_readiness.hpp"
#include "mobula/store/shard/store_object.hpp"

namespace mobula {

/// Where the objects of a `store_table` are, and what that adds up to. Every object is in exactly
/// one `store_place`, every place has a tally, and `move` alone takes objects from one to another,
/// so that each sum follows from the last. Those that wait for space, or may move out, are in a
/// list besides.
class store_places {
public:
  using list = use_list<store_object>;
  using object_map = std::unordered_map<object_id, store_object>;

  /// REQUIRES: `disk` outlives this.
  explicit store_places(const disk_readiness& disk) : disk_(disk) {
    // nop
  }

  store_places(const store_places&) = delete;
  store_places& operator=(const store_places&) = delete;

  /// The object comes to the place that it names. REQUIRES: it keeps its address until it leaves.
  void enter(store_object& entry);

  void leave(store_object& entry);

  void move(store_object& entry, store_place to) {
    leave(entry);
    entry.where = to;
    enter(entry);
  }

  /// It is the next to be evicted. REQUIRES: it is one of `evictable`.
  void evict_next(store_object& entry) noexcept {
    evictable_.remove(entry);
    evictable_.push_front(entry);
  }

  /// It was found too large for what is left on disk. REQUIRES: it is idle.
  void set_aside(store_object& entry, spill_round round);

  /// A round of the disk has begun: what was set aside enters the order anew as what was used least
  /// recently, since it would have been next.
  void return_set_aside();

  // -- properties ---------------------------------------------------------------------------------

  /// Requests that wait, by arrival.
  [[nodiscard]] const list& queue() const noexcept {
    return queue_;
  }

  /// Idle secondaries, and idle primaries with a record.
  [[nodiscard]] const list& evictable() const noexcept {
    return evictable_;
  }

  /// Idle primaries without a record, but for those set aside.
  [[nodiscard]] const list& spillable() const noexcept {
    return spillable_;
  }

  /// Idle primaries that do not fit on disk.
  [[nodiscard]] const list& aside() const noexcept {
    return set_aside_;
  }

  [[nodiscard]] object_tally tally(store_place where) const noexcept;

  [[nodiscard]] object_tally tally_at(store_place where, copy_kind kind) const noexcept {
    return tallies_[static_cast<std::size_t>(where)][static_cast<std::size_t>(kind)];
  }

  /// Sum over the places in memory.
  [[nodiscard]] std::size_t memory_bytes() const noexcept {
    return memory_bytes_;
  }

  /// Recomputes every sum and list from the objects and asserts that they agree. O(n).
  void check_invariants(const object_map& objects) const;

private:
  using tally_table = std::array<std::array<object_tally, 2>, store_place_count>;
  using list_member = list store_places::*;

  [[nodiscard]] list_member list_of(const store_object& entry) const noexcept;
  void enqueue(store_object& entry) noexcept;
  [[nodiscard]] object_tally& tally_of(const store_object& entry) noexcept;

  const disk_readiness& disk_;
  list queue_;
  list evictable_;
  list spillable_;
  list set_aside_;
  tally_table tallies_{}; ///< by place and kind
  std::size_t memory_bytes_ = 0;
};

} // namespace mobula

#pragma once

#include <cstddef>
#include <cstdint>

#include "mobula/store/shard/disk_readiness.hpp"
#include "mobula/store/shard/shard_effects.hpp"
#include "mobula/store/shard/store_object.hpp"
#include "mobula/store/shard/store_places.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

/// The objects of a store, and how much of it they take, with what is lent ahead of them.
///
/// *Accounting.* used = copies in memory + space reserved for creators and restores + credit lent;
/// never above the capacity.
class store_objects {
public:
  /// REQUIRES: `disk` outlives this.
  store_objects(std::size_t capacity_bytes, const disk_readiness& disk)
    : capacity_bytes_(capacity_bytes), places_(disk) {
    // nop
  }

  store_objects(const store_objects&) = delete;
  store_objects& operator=(const store_objects&) = delete;

  // -- one of them --------------------------------------------------------------

  /// Returns null for an object that the store does not have.
  [[nodiscard]] store_object* find(const object_id& id);

  /// REQUIRES: the object is there.
  [[nodiscard]] store_object& get(const object_id& id, store_place expected);

  store_object& insert(const object_id& id, std::size_t size_bytes, copy_kind kind,
                       store_place where);

  /// REQUIRES: nobody waits for the object.
  void erase(store_object& entry);

  /// Moves an object, or has it be the youngest where it is.
  void move(store_object& entry, store_place to);

  /// The object takes its place in the queue among those that come now.
  void arrive_anew(store_object& entry) noexcept {
    entry.arrival = ++arrivals_;
  }

  /// It is the next to be evicted. REQUIRES: it can be.
  void evict_next(store_object& entry) noexcept {
    places_.evict_next(entry);
  }

  /// It was found too large for what is left on disk. REQUIRES: it is idle.
  void set_aside(store_object& entry, spill_round round) {
    places_.set_aside(entry, round);
  }

  /// A round of the disk has begun.
  void return_set_aside() {
    places_.return_set_aside();
  }

  // -- credit -------------------------------------------------------------------

  void lend(std::size_t bytes) noexcept {
    lent_bytes_ += bytes;
  }

  void take_back(std::size_t bytes) {
    MOBULA_ASSERT(bytes <= lent_bytes_);
    lent_bytes_ -= bytes;
  }

  [[nodiscard]] std::size_t lent_bytes() const noexcept {
    return lent_bytes_;
  }

  // -- all ----------------------------------------------------------------------

  [[nodiscard]] const store_places& places() const noexcept {
    return places_;
  }

  [[nodiscard]] const store_places::object_map& all() const noexcept {
    return objects_;
  }

  /// Counts those that came, for their order.
  [[nodiscard]] std::uint64_t arrivals() const noexcept {
    return arrivals_;
  }

  [[nodiscard]] std::size_t capacity_bytes() const noexcept {
    return capacity_bytes_;
  }

  [[nodiscard]] std::size_t used_bytes() const noexcept {
    return places_.memory_bytes() + lent_bytes_;
  }

  [[nodiscard]] std::size_t free_bytes() const noexcept {
    return capacity_bytes_ - used_bytes();
  }

  [[nodiscard]] store_use use() const;

  /// Fills in what is there now.
  void add_to(store_table_stats& stats) const;

  void check_invariants() const;

private:
  std::size_t capacity_bytes_;
  store_places places_;
  store_places::object_map objects_; ///< its elements keep their addresses, as places require
  std::size_t lent_bytes_ = 0;
  std::uint64_t arrivals_ = 0;
};

} // namespace mobula

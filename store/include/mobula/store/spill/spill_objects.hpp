#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/spill/spill_effects.hpp"

namespace mobula {

enum class spill_place : std::uint8_t {
  pinned,      ///< waits for a write (`spill_batches`)
  spilling,    ///< in a write under way
  spilled,     ///< has a record, nothing under way
  read_queued, ///< has a record, waits for a read (`spill_reads`)
  reading      ///< has a record, unless freed; a read is under way
};

/// What `spill_table` knows of one object.
struct spill_entry {
  std::uint64_t record_bytes = 0;
  spill_place where = spill_place::pinned;
  bool freed = false; ///< raised by `free` while the disk is busy with it, never lowered
  bool moved = false; ///< raised by a move's end during a read, lowered by the next read
  std::size_t read_attempts = 0;
  spill_location location;                   ///< from `spilled` on
  std::list<object_id>::iterator position{}; ///< in its queue while pinned or read-queued
  spill_read_id read{};                      ///< while reading

  /// Returns whether it is on disk, all of it and still wanted.
  [[nodiscard]] bool has_record() const noexcept {
    return !freed && where != spill_place::pinned && where != spill_place::spilling;
  }
};

/// The objects of a `spill_table`: exactly those that are pinned, on disk, or on their way there or
/// back.
class spill_objects {
public:
  struct insertion {
    spill_entry& entry;
    bool fresh;
  };

  spill_objects() = default;

  spill_objects(const spill_objects&) = delete;
  spill_objects& operator=(const spill_objects&) = delete;

  /// Returns the object, which is new if it was not there.
  insertion insert(const object_id& id);

  /// Returns null if it is not there.
  [[nodiscard]] spill_entry* find(const object_id& id);

  /// REQUIRES: it is there.
  [[nodiscard]] spill_entry& get(const object_id& id, spill_place expected);

  /// Returns the object whose live record is there; null if there is none.
  [[nodiscard]] spill_entry* find_record(const object_id& id, spill_file_id where,
                                         std::uint64_t offset_bytes);

  /// REQUIRES: it is there, and in no queue, batch or file any more.
  void erase(const object_id& id);

  // -- properties ---------------------------------------------------------------------------------

  [[nodiscard]] bool contains(const object_id& id) const {
    return objects_.contains(id);
  }

  [[nodiscard]] bool empty() const noexcept {
    return objects_.empty();
  }

  /// Returns where the object's record is; nothing if it has none.
  [[nodiscard]] std::optional<spill_location> location_of(const object_id& id) const;

  /// Returns all of them in an order that a replay sees again.
  [[nodiscard]] std::vector<object_id> sorted() const;

  [[nodiscard]] const std::unordered_map<object_id, spill_entry>& all() const noexcept {
    return objects_;
  }

private:
  std::unordered_map<object_id, spill_entry> objects_;
};

} // namespace mobula

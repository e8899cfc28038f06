#pragma once

#include <cstdint>
#include <string>

namespace mobula {

/// Number and size of objects of one kind.
struct object_count {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;

  friend bool operator==(const object_count&, const object_count&) = default;

  object_count& operator+=(const object_count& other) noexcept {
    objects += other.objects;
    bytes += other.bytes;
    return *this;
  }
};

/// Figures of one node at one moment. Those above `waiting_gets` are levels: exact, and zero when
/// everything is released. The others count events since the node started.
struct node_stats {
  /// All objects that this node owns, in any place.
  object_count owned;

  /// Objects without a value yet.
  std::uint64_t pending_objects = 0;

  /// Objects in the process heap: small ones.
  object_count inline_values;

  /// Objects that have an error in place of a value.
  std::uint64_t failed_objects = 0;

  /// Objects that the owner placed in a shard, wherever their bytes are now.
  object_count stored;

  /// Bytes of stored objects in memory. Together with `reserved_bytes` and `lent_bytes` never above
  /// `store_capacity_bytes`.
  object_count resident;

  /// Stored objects in memory that a view pins right now.
  object_count pinned;

  /// Stored objects whose only bytes are on disk.
  object_count spilled;

  /// Room given to objects that are not sealed yet.
  std::uint64_t reserved_bytes = 0;

  /// Room lent to creators ahead of need: not in use, and the one level that need not be zero when
  /// all is released.
  std::uint64_t lent_bytes = 0;

  /// Puts that wait for room.
  std::uint64_t waiting_puts = 0;

  /// Bytes in spill files, dead ones included.
  std::uint64_t spill_file_bytes = 0;

  /// Spill files.
  std::uint64_t spill_files = 0;

  /// Objects on which this node holds at least one reference.
  std::uint64_t references = 0;

  /// Entries of the reference table, including those that the owner was not told of yet, and those
  /// that only a view keeps.
  std::uint64_t entries = 0;

  /// Readers that wait for objects, counted once for each object.
  std::uint64_t waiting_gets = 0;

  // -- since the start ----------------------------------------------------------------------------

  /// Messages that the node's services have handled, these requests for figures not counted.
  std::uint64_t messages = 0;

  /// References that the owner was told of, and told the end of.
  std::uint64_t references_added = 0;
  std::uint64_t references_removed = 0;

  /// Copies that left memory without a write, since another copy exists.
  std::uint64_t evictions = 0;

  /// Objects written to disk, and read back.
  object_count written;
  object_count restored;

  /// Objects that went from one spill file to another, to free a file that was mostly dead.
  object_count moved;

  /// Room for stored objects, from the configuration.
  std::uint64_t store_capacity_bytes = 0;

  /// Returns whether nothing is left: all levels are zero but for room lent ahead.
  [[nodiscard]] bool nothing_left() const noexcept;

  /// Writes one figure a line.
  friend std::string to_string(const node_stats& stats);
};

} // namespace mobula

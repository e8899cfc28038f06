#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "mobula/store/arena/arena_segment.hpp"
#include "mobula/store/arena/slot_word.hpp"
#include "mobula/store/system/io_calls.hpp"

namespace mobula {

/// What the owner of an arena found at the places for readers.
struct reader_census {
  std::size_t living = 0;
  std::size_t cleared = 0;             ///< were dead; their places are free again
  std::optional<io_failure> failure{}; ///< of a place that could not be asked; it counts as living
};

/// The owner's view of the processes that read from its arena.
///
/// The idea: the kernel knows who is dead. Each reader holds a lock that ends with it (see
/// src/arena/reader_places.hpp); a place that is taken but whose lock is free has a dead reader. No
/// heartbeat, no process ids that others may have by now. A reader lives as long as *any* process
/// has its open file: one that forks without exec lives on in its child.
///
/// For one thread at a time, which need not be a shard's. It changes nothing but the dead's bits,
/// each in one step, so the shards work on meanwhile.
class arena_readers {
public:
  /// REQUIRES: the arena outlives this and stays where it is.
  explicit arena_readers(const arena_segment& arena) noexcept : arena_(&arena) {
  }

  /// Drops whatever dead readers have pinned, and frees their places. If there were any, each shard
  /// should look at its `object_table::drained` afterwards. To be called when a peer on this host
  /// has died, and now and then, for readers that are no peers. One system call for each taken
  /// place; O(slots) if somebody died.
  [[nodiscard]] reader_census clear_dead();

  /// Returns the ids of the processes that have these places, as they call themselves: in
  /// containers, another process may have the same. Any thread may ask.
  [[nodiscard]] std::vector<std::uint64_t> processes_of(reader_set readers) const;

private:
  const arena_segment* arena_;
};

} // namespace mobula

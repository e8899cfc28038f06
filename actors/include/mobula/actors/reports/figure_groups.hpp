#pragma once

#include <chrono>
#include <cstdint>

#include "mobula/actors/protocol/ownership/object_count.hpp"

/// The figures of a node by subject. In each group levels come first: they are exact, and zero when
/// everything is released, but for those that say otherwise. What counts events since the node
/// started, or describes it, comes after.

namespace mobula {

/// The objects of a node and where their values are.
struct object_figures {
  /// All objects that this node owns, in any place.
  object_count owned;

  /// Objects without a value yet.
  std::uint64_t pending_objects = 0;

  /// Objects whose values are in the process heap: small ones.
  object_count inline_values;

  /// Objects that have an error in place of a value.
  std::uint64_t failed_objects = 0;

  /// Objects that were placed in a shard, or moved there from the heap, wherever their bytes are
  /// now.
  object_count stored;

  /// Bytes of stored objects in memory. Together with `reserved_bytes` and `lent_bytes` never above
  /// `store_capacity_bytes`.
  object_count resident;

  /// Stored objects in memory that a view pins right now.
  object_count pinned;

  /// Stored objects whose only bytes are on disk.
  object_count spilled;
};

/// What values take of the process heap.
struct heap_figures {
  /// What values take of the process heap: small ones, what was decoded of any, and objects of
  /// actors that wait for space in the store. Not above `heap_limit_bytes` but for what came from
  /// those who must not wait: actors, other nodes, and readers that decode.
  std::uint64_t heap_bytes = 0;

  /// What is on its way out of the heap, and puts that wait for space in it.
  object_count leaving_heap;
  std::uint64_t waiting_for_heap = 0;

  // -- since the start ----------------------------------------------------------------------------

  /// Values that left the process heap, into the store or because their owner has them; what was
  /// decoded and was dropped; puts that were refused since nothing could leave.
  object_count left_heap;
  object_count decoded_dropped;
  std::uint64_t heap_refusals = 0;

  // -- the configuration --------------------------------------------------------------------------

  /// What values may take of the process heap.
  std::uint64_t heap_limit_bytes = 0;
};

/// Who has space of the store, and who waits for it.
struct space_figures {
  /// Space given to objects that are not sealed yet.
  std::uint64_t reserved_bytes = 0;

  /// Space lent to creators ahead of need: not in use, and need not be zero when all is released.
  std::uint64_t lent_bytes = 0;

  /// Puts that wait for space, and restores that do.
  std::uint64_t waiting_puts = 0;

  // -- since the start ----------------------------------------------------------------------------

  /// Copies that left memory without a write: pulled ones, since another copy exists.
  object_count evictions;

  /// Copies that left memory because their bytes are on disk.
  object_count unloads;

  /// Requests for space that had to wait, that were let pass an older one, and that failed; and
  /// spells in which nothing inside the store could make space.
  std::uint64_t space_waits = 0;
  std::uint64_t overtakings = 0;
  std::uint64_t refusals = 0;
  std::uint64_t stalls = 0;

  // -- the configuration --------------------------------------------------------------------------

  /// Space for stored objects.
  std::uint64_t store_capacity_bytes = 0;
};

/// What objects do on disk.
struct spill_figures {
  /// Spill files.
  std::uint64_t spill_files = 0;

  /// Bytes in spill files, dead ones included.
  std::uint64_t spill_file_bytes = 0;

  // -- since the start ----------------------------------------------------------------------------

  /// Objects written to disk, and read back, and how long the disk's threads took for it.
  object_count written;
  object_count restored;
  std::chrono::nanoseconds writing_time{};
  std::chrono::nanoseconds reading_time{};

  /// Objects that went from one spill file to another, to free a file that was mostly dead.
  object_count moved;

  /// Writes to disk that failed; what they carried stayed in memory.
  std::uint64_t spill_failures = 0;

  /// Bytes a second that a thread writes to disk, or reads, while it does nothing else; 0 before
  /// the first.
  [[nodiscard]] double write_rate() const noexcept;
  [[nodiscard]] double read_rate() const noexcept;
};

/// The shared memory of a node, and the table by which others find objects in it.
struct arena_figures {
  /// What objects take of the arena: their bytes, their metadata, and what rounding adds.
  std::uint64_t arena_used_bytes = 0;

  /// Objects that processes of the host can find in the arena's table.
  std::uint64_t table_slots_used = 0;

  // -- since the start ----------------------------------------------------------------------------

  /// Bytes of the arena that creators had to fault in themselves, the stock being used up.
  std::uint64_t late_commit_bytes = 0;

  // -- the arena's shape --------------------------------------------------------------------------

  /// The segment of shared memory, and how much of it holds memory of the system, used or not.
  std::uint64_t arena_bytes = 0;
  std::uint64_t arena_committed_bytes = 0;

  /// Free memory that costs no page fault, and how much of it the filler tries to keep.
  std::uint64_t prefault_ready_bytes = 0;
  std::uint64_t prefault_target_bytes = 0;

  /// Pieces that free memory is in, and the largest of them.
  std::uint64_t free_extents = 0;
  std::uint64_t largest_free_bytes = 0;

  /// Slots of the arena's table, and objects that found none: others on the host get these through
  /// their owner.
  std::uint64_t table_slots = 0;
  std::uint64_t table_misses = 0;
};

/// Who refers to what, on this node and across nodes.
struct reference_figures {
  /// Objects on which this node holds at least one reference.
  std::uint64_t references = 0;

  /// Entries of the reference table, including those that the owner was not told of yet, and those
  /// that only a view keeps.
  std::uint64_t entries = 0;

  /// Readers that wait for objects, counted once for each object.
  std::uint64_t waiting_gets = 0;

  /// References in messages to other nodes whose receiver is not known yet.
  std::uint64_t open_transits = 0;

  /// Own objects that other nodes hold, or lost nodes held until a short time ago.
  std::uint64_t exported_objects = 0;

  /// Entries for other nodes' objects that their owners know of.
  std::uint64_t borrowed_objects = 0;

  /// What waits for another node: borrows for their confirmation, containers and barriers for
  /// borrows, nodes for a value that is not there yet.
  std::uint64_t peer_waits = 0;

  /// Leases and grace periods that run, and shards that look after readers in other processes.
  std::uint64_t peer_timers = 0;

  /// Copies of this node's values on others that fetch them or have fetched them.
  std::uint64_t known_copies = 0;

  // -- since the start ----------------------------------------------------------------------------

  /// References that the owner was told of, and told the end of.
  std::uint64_t references_added = 0;
  std::uint64_t references_removed = 0;
};

/// Values on their way between nodes, over data ports.
struct transfer_figures {
  /// Values of other nodes that are on their way here.
  std::uint64_t pulls = 0;

  /// What serves other nodes that pull from here: asks, the objects they are for, chunks.
  std::uint64_t pushes = 0;

  // -- since the start ----------------------------------------------------------------------------

  /// Values pulled from other nodes, in how many objects and bytes; pulls that failed; asks whose
  /// connection broke; bytes sent to others; asks of others that were refused.
  object_count pulled;
  std::uint64_t failed_pulls = 0;
  std::uint64_t lost_asks = 0;
  std::uint64_t pushed_bytes = 0;
  std::uint64_t refused_asks = 0;

  // -- other nodes --------------------------------------------------------------------------------

  /// Nodes whose data port could not be reached when it was last tried: their values come with
  /// messages, which is slow.
  std::uint64_t unreachable_ports = 0;
};

/// What a node's services do.
struct service_figures {
  /// Timers of any kind that run in the node's services. None outlives what it was started for.
  std::uint64_t timers = 0;

  // -- since the start ----------------------------------------------------------------------------

  /// Messages that the node's services have handled, these requests for figures not counted.
  std::uint64_t messages = 0;

  /// Messages that this node sent to other nodes.
  std::uint64_t peer_messages = 0;
};

} // namespace mobula

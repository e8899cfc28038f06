#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/arena/pin_word.hpp"
#include "mobula/store/spill/spill_errors.hpp"

namespace mobula {

/// Names a client's request until it is granted, served, refused or canceled. Chosen by the caller,
/// never used twice at the same time.
enum class request_token : std::uint64_t {};

/// Names one spell during which nothing inside the store can make space.
enum class stall_number : std::uint64_t {};

/// What the owner thinks of a copy.
enum class copy_kind : std::uint8_t {
  primary,  ///< vouched for: only spilled, never dropped without a record
  secondary ///< pulled from elsewhere: may be dropped
};

/// Why a request fails.
enum class refusal : std::uint8_t {
  store_full,        ///< readers and creators hold what there is
  out_of_disk,       ///< the rest could only be spilled, and the disk takes nothing
  larger_than_store, ///< would not fit into the empty store
  too_many_waiting,  ///< the queue of creates is at its limit
  already_exists,    ///< the store has an object with this id
  not_here,          ///< the store has no object with this id
  released,          ///< its owner let go of it
  copy_lost,         ///< its spill record is missing or damaged
  restore_failed,    ///< the disk could not be read
  shutting_down
};

/// Why a copy's memory goes back to the heap.
enum class free_reason : std::uint8_t {
  evicted,        ///< a secondary made space
  spilled,        ///< its bytes are in a spill file
  released,       ///< its owner let go of it
  aborted,        ///< its creator gave up
  restore_failed, ///< space taken for a restore that brought nothing
};

/// For what the store wants a copy's memory.
enum class reclaim_reason : std::uint8_t {
  space,  ///< ask with `pin_word::try_reclaim`
  release ///< ask with `pin_word::doom`: never again a new reader
};

/// Why a copy stays where it is.
enum class reclaim_obstacle : std::uint8_t {
  pinned, ///< has readers; the last one will report `unpinned`
  used    ///< has none now, but was touched since the table last asked
};

/// What alone could still make space.
enum class stall_cause : std::uint8_t {
  readers,  ///< every copy is pinned
  creators, ///< some objects are not sealed yet
  disk      ///< idle primaries are left, but spilling fails, or they do not fit on disk
};

enum class pressure_level : std::uint8_t {
  calm,      ///< below the threshold
  relieving, ///< evicting and spilling down to the low-water mark
  waiting,   ///< some request waits for space
  stalled    ///< some request waits, and nothing inside the store makes space
};

// -- effects --------------------------------------------------------------------

/// Tells a creator that space for its object is reserved.
struct grant_create {
  request_token token;
  object_id id;
  std::size_t size_bytes;
};

/// Tells a reader that a copy is in memory. To be pinned for it before the next effect is carried
/// out, which may ask for the memory again.
struct serve_copy {
  request_token token;
  object_id id;
};

/// What the store's memory is used for at one moment. With what is free it adds up to the capacity.
struct store_use {
  std::size_t capacity_bytes = 0;
  std::size_t pinned_bytes = 0; ///< found in use by readers, whether still referenced or not
  std::size_t kept_bytes = 0;   ///< referenced, and nobody reads it
  std::size_t moving_bytes = 0; ///< on its way out: being asked for, written or freed
  std::size_t making_bytes = 0; ///< being filled by creators, pulls and the disk
  std::size_t lent_bytes = 0;   ///< taken ahead by creators

  [[nodiscard]] std::size_t free_bytes() const noexcept {
    return capacity_bytes - pinned_bytes - kept_bytes - moving_bytes - making_bytes - lent_bytes;
  }
};

/// Ends a request in failure.
struct refuse_request {
  request_token token;
  object_id id;
  refusal error;
  std::size_t size_bytes;
  store_use use;
};

/// Asks for the copy's memory; answered by `reclaim_succeeded` or `reclaim_refused`. When
/// `known_use` is set, a copy whose `last_use` differs from it is refused as used.
struct try_reclaim {
  object_id id;
  reclaim_reason reason;
  std::optional<use_stamp> known_use;
};

/// Asks whether the copy is idle without taking it from readers (`pin_word::look`); answered by
/// `found_idle` or `reclaim_refused`. `known_use` as above.
struct check_idle {
  object_id id;
  std::optional<use_stamp> known_use;
};

/// Forgets the copy's memory, which the caller gave back to the heap before the event that led
/// here.
struct free_copy {
  object_id id;
  std::size_t size_bytes;
  free_reason reason;
};

/// Asks for the copy's bytes to be written; answered by `spill_finished` or `spill_failed`. The
/// memory stays readable and in place until then.
struct spill_object {
  object_id id;
  std::size_t size_bytes;
};

/// Ends the object for the spill manager, in whatever state it is there. A spill or restore under
/// way is still answered: until then the I/O uses the memory.
struct forget_spill {
  object_id id;
};

/// Asks for the object's bytes to be read into space that is reserved; answered by
/// `restore_finished` or `restore_failed`.
struct restore_object {
  object_id id;
  std::size_t size_bytes;
};

/// Answers `lend`; zero when there is no space to spare.
struct lend_credit {
  std::size_t bytes;
};

/// Asks for all credit that no creator has taken; answered once by `recall_answered`.
struct recall_credit {};

/// Says that nothing inside the store can make space for the oldest request. The caller decides how
/// long to wait, then says `give_up` with this number; it is out of date after any progress. The
/// cause is that of the stall's beginning: readers and retries of the disk may change it, which is
/// no progress.
struct report_stall {
  stall_number number;
  stall_cause cause;
};

/// The stall is over: nobody is to give up on it any more.
struct report_stall_over {
  stall_number number;
};

struct report_pressure {
  pressure_level level;
};

/// Says, after `shut_down`, that nothing is left. Told to the first shard.
struct report_store_drained {};

/// Readers in other processes may have died with copies of this shard pinned, and hold up those who
/// wait: to be looked for. Told to every shard.
struct check_readers {};

using shard_effect =
  std::variant<grant_create, serve_copy, refuse_request, try_reclaim, check_idle, free_copy,
               spill_object, forget_spill, restore_object, lend_credit, recall_credit, report_stall,
               report_stall_over, report_pressure, report_store_drained, check_readers>;

/// Effects of one shard in the order in which they must be carried out.
using shard_effects = std::vector<shard_effect>;

/// An effect, and which shard carries it out: that of the object which it names.
struct addressed_effect {
  std::uint32_t shard;
  shard_effect effect;
};

/// Events append to it. What concerns one shard is to be carried out in this order.
using store_effects = std::vector<addressed_effect>;

// -- figures --------------------------------------------------------------------

/// A number of objects and the sum of their sizes.
struct object_tally {
  std::size_t objects = 0;
  std::size_t bytes = 0;

  friend bool operator==(const object_tally&, const object_tally&) = default;

  void add(std::size_t size_bytes) noexcept {
    ++objects;
    bytes += size_bytes;
  }

  void remove(std::size_t size_bytes) noexcept {
    MOBULA_ASSERT(objects > 0 && bytes >= size_bytes);
    --objects;
    bytes -= size_bytes;
  }

  object_tally& operator+=(const object_tally& other) noexcept {
    objects += other.objects;
    bytes += other.bytes;
    return *this;
  }
};

/// Exact at every moment between two events.
struct store_table_stats {
  // What is there now. The first six are in memory, and with `lent_bytes` add up to `used_bytes`.
  object_tally unsealed;
  object_tally primary;   ///< sealed, neither spilling nor doomed
  object_tally secondary; ///< sealed, not doomed
  object_tally spilling;  ///< in memory, being written
  object_tally doomed;    ///< released, and pinned or being asked whether it is
  object_tally restoring; ///< space taken, being read
  std::size_t lent_bytes = 0;
  std::size_t used_bytes = 0;
  std::size_t capacity_bytes = 0;
  object_tally spilled; ///< only on disk
  object_tally waiting; ///< creates and restores that wait for space

  // What happened since the start.
  object_tally evictions; ///< secondaries that made space
  object_tally unloads;   ///< primaries that made space, their bytes being on disk
  object_tally spills;
  object_tally restores;
  std::size_t waits = 0; ///< creates and restores that were not granted at once
  std::size_t refusals = 0;
  std::size_t spill_failures = 0;
  std::size_t overtakings = 0; ///< grants to requests younger than one that waited
  std::size_t stalls = 0;
};

} // namespace mobula

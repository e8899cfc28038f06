#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/caf/typed_interface.hpp"
#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/messages/space_request.hpp"
#include "mobula/actors/objects/object_handle.hpp"
#include "mobula/actors/objects/stored_copy.hpp"
#include "mobula/store/spill/spill_errors.hpp"
#include "mobula/store/transfer/copy_directory.hpp"

namespace mobula {

/// A sealed object for which the creator took credit. The handle keeps the object while its copy is
/// under way.
struct copy_sealed {
  copy_pointer copy;
  object_handle entry;
};

/// A complete object, outside of the arena, that waits for space there: an actor's, which cannot
/// wait before it writes. Its entry is pending until the shard seals it: with the copy, or with the
/// error that says why not.
struct move_into_store {
  copy_pointer copy;
  object_handle entry;
};

/// A value of the process heap, which is above its limit: moves in when there is space. Readers may
/// pin it until then; if one does when there is space, it stays where it is. The handle keeps the
/// object meanwhile. How it ended is told to its entry, then to the heap's keeper.
struct take_from_heap {
  copy_pointer copy;
  object_handle entry;
};

/// What was decoded of a copy's value is to go, since the process heap is above its limit. Ends
/// like `take_from_heap`.
struct drop_decoded_value {
  object_handle entry;
  std::uint64_t bytes = 0;
};

/// The bytes of an object that moves in are where they belong. Ends what `move_into_store` or
/// `take_from_heap` began.
struct copy_moved {
  std::uint64_t sequence = 0;
  std::shared_ptr<arena_block> memory;
};

/// Whether a request for space may wait for it.
enum class patience : std::uint8_t { none, unlimited };

/// A thread asks for space before it writes an object. Once granted, it ends in `seal_reserved` or
/// `abort_reserved`.
struct reserve_space {
  std::uint64_t sequence = 0;
  copy_pointer copy;
  patience until = patience::unlimited;
  std::shared_ptr<space_request> request;
};

/// A granted object is written; its entry is sealed already. The handle keeps the object while this
/// is under way.
struct seal_reserved {
  object_handle entry;
};

/// A creator that was granted space gave up.
struct abort_reserved {
  std::uint64_t sequence = 0;
};

/// A creator gave up: its credit comes back.
struct return_credit {
  std::uint64_t bytes = 0;
};

/// The object is out of scope: its copy, its bytes on disk and its entry go.
struct release_copy {
  std::shared_ptr<release_token> token;
};

/// The object's value is not wanted any more, though its entry lives on. The handle keeps the entry
/// until the copy is gone.
struct free_copy_of {
  object_handle entry;
};

/// A reader waits for a copy that may be on disk. It holds a handle until it was told.
struct request_copy {
  std::uint64_t sequence = 0;
};

/// The last reader of a copy that the shard wants to have let go of it.
struct copy_unpinned {
  std::uint64_t sequence = 0;
};

/// Readers in other processes may be gone without a report: they and the copies that wait for one
/// are looked at, and looked at again as long as there are readers.
struct readers_lost {};

// -- from the transfers ---------------------------------------------------------------------------

/// Reserves the buffer of a copy that another node's value is pulled into. Answered once by
/// `pull_buffer_answered`; once granted, it ends in `seal_pulled` or `return_pull_buffer`. A copy
/// that is there already is answered by `pull_sealed`.
struct reserve_pull_buffer {
  copy_pointer copy;
  patience until = patience::unlimited;
  object_id object;     ///< what is pulled
  copy_ticket ticket{}; ///< the owner's, for this copy
};

/// The buffer is not needed any more; if it was not given yet, it is refused.
struct withdraw_pull_buffer {
  pull_number number{};
};

struct return_pull_buffer {
  pull_number number{};
};

/// The bytes are where they belong: readers may come. Answered to the transfers by `pull_sealed`,
/// then to the cluster actor, with the use of the entry, by `pull_ended`.
struct seal_pulled {
  copy_pointer copy;
  std::shared_ptr<release_token> entry;
};

/// The copy is not needed any more, if it is there; the token, which may be null, is released with
/// it.
struct release_pulled {
  copy_pointer copy;
  std::shared_ptr<release_token> token;
};

// -- answers of the spill manager -----------------------------------------------------------------

/// The object's bytes are on disk.
struct copy_written {
  object_id id;
};

/// The object's bytes could not be written; they are in memory as before.
struct copy_not_written {
  object_id id;
  spill_error reason;
  spill_round round{}; ///< in which it failed
};

/// The object's bytes are in the memory that was given for them, verified.
struct copy_read {
  object_id id;
};

/// The object's bytes could not be read back.
struct copy_not_read {
  object_id id;
  restore_error reason;
};

/// A disk that failed may be worth another try. Told to one shard: failures of before may reach
/// others later.
struct spilling_possible_again {
  spill_round round{};
};

/// Events of other shards had effects on objects of this one.
struct effects_waiting {};

/// Holds the large objects of its share of ids: gives space, evicts, has spilled and restored,
/// frees. Space belongs to all shards together (`store_space`).
using store_shard_actor = caf::typed_actor<
  takes<copy_sealed>, takes<move_into_store>, takes<take_from_heap>, takes<drop_decoded_value>,
  takes<copy_moved>, takes<reserve_space>, takes<seal_reserved>, takes<abort_reserved>,
  takes<return_credit>, takes<release_copy>, takes<free_copy_of>, takes<request_copy>,
  takes<copy_unpinned>, takes<reserve_pull_buffer>, takes<withdraw_pull_buffer>,
  takes<return_pull_buffer>, takes<seal_pulled>, takes<release_pulled>, takes<readers_lost>,
  takes<copy_written>, takes<copy_not_written>, takes<copy_read>, takes<copy_not_read>,
  takes<spilling_possible_again>, takes<effects_waiting>, takes<collect_stats>, takes<check_tables>,
  takes<shut_down>>;

class node_core;

/// Starts shard `index` of `core`. REQUIRES: the spill manager runs.
store_shard_actor spawn_store_shard(node_core& core, std::uint32_t index);

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::copy_sealed)
MOBULA_LOCAL_MESSAGE(mobula::move_into_store)
MOBULA_LOCAL_MESSAGE(mobula::take_from_heap)
MOBULA_LOCAL_MESSAGE(mobula::drop_decoded_value)
MOBULA_LOCAL_MESSAGE(mobula::copy_moved)
MOBULA_LOCAL_MESSAGE(mobula::reserve_space)
MOBULA_LOCAL_MESSAGE(mobula::seal_reserved)
MOBULA_LOCAL_MESSAGE(mobula::abort_reserved)
MOBULA_LOCAL_MESSAGE(mobula::return_credit)
MOBULA_LOCAL_MESSAGE(mobula::release_copy)
MOBULA_LOCAL_MESSAGE(mobula::free_copy_of)
MOBULA_LOCAL_MESSAGE(mobula::request_copy)
MOBULA_LOCAL_MESSAGE(mobula::copy_unpinned)
MOBULA_LOCAL_MESSAGE(mobula::reserve_pull_buffer)
MOBULA_LOCAL_MESSAGE(mobula::withdraw_pull_buffer)
MOBULA_LOCAL_MESSAGE(mobula::return_pull_buffer)
MOBULA_LOCAL_MESSAGE(mobula::seal_pulled)
MOBULA_LOCAL_MESSAGE(mobula::release_pulled)
MOBULA_LOCAL_MESSAGE(mobula::readers_lost)
MOBULA_LOCAL_MESSAGE(mobula::copy_written)
MOBULA_LOCAL_MESSAGE(mobula::copy_not_written)
MOBULA_LOCAL_MESSAGE(mobula::copy_read)
MOBULA_LOCAL_MESSAGE(mobula::copy_not_read)
MOBULA_LOCAL_MESSAGE(mobula::spilling_possible_again)
MOBULA_LOCAL_MESSAGE(mobula::effects_waiting)

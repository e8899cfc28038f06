#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "mobula/actors/caf_compat.hpp"
#include "mobula/actors/object_handle.hpp"
#include "mobula/actors/service_messages.hpp"
#include "mobula/actors/shard_front.hpp"
#include "mobula/actors/stored_copy.hpp"
#include "mobula/store/spill_errors.hpp"

namespace mobula {

/// A sealed object for which the creator took credit. The handle keeps the object while its copy is
/// under way.
struct adopt_copy {
  copy_pointer copy;
  object_handle entry;
};

/// A complete object that waits for room. Its entry is pending until the shard seals it: with the
/// copy, or with the error that says why not.
struct admit_copy {
  copy_pointer copy;
  object_handle entry;
};

/// A creator gave up: its credit comes back.
struct return_credit {
  std::uint64_t bytes = 0;
};

/// The object is out of scope: its copy, its bytes on disk and its entry go.
struct release_copy {
  std::shared_ptr<entry_scope> scope;
};

/// A reader waits for a copy that may be on disk. It holds a handle until it was told.
struct want_copy {
  std::uint64_t sequence = 0;
};

/// The last reader of a copy that the shard wants to have let go of it.
struct copy_unpinned {
  std::uint64_t sequence = 0;
};

// -- answers of the spill manager
// -------------------------------------------------------------------

/// The object's bytes are on disk.
struct copy_written {
  object_id id;
};

/// The object's bytes could not be written; they are in memory as before.
struct copy_not_written {
  object_id id;
  spill_error reason;
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

/// A disk that failed may be worth another try.
struct spilling_possible_again {};

/// Hope is over for puts that wait since this stall.
struct stall_timed_out {
  std::uint64_t number = 0;
};

/// Holds the large objects of its share of ids: gives room, evicts, has spilled and restored,
/// frees.
using store_shard_actor =
  caf::typed_actor<takes<adopt_copy>, takes<admit_copy>, takes<return_credit>, takes<release_copy>,
                   takes<want_copy>, takes<copy_unpinned>, takes<copy_written>,
                   takes<copy_not_written>, takes<copy_read>, takes<copy_not_read>,
                   takes<spilling_possible_again>, takes<stall_timed_out>, takes<collect_stats>,
                   takes<check_tables>, takes<shut_down>>;

class node_core;

/// Starts shard `index` of `core`. REQUIRES: the spill manager runs.
store_shard_actor spawn_store_shard(node_core& core, std::uint32_t index);

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::adopt_copy)
MOBULA_LOCAL_MESSAGE(mobula::admit_copy)
MOBULA_LOCAL_MESSAGE(mobula::return_credit)
MOBULA_LOCAL_MESSAGE(mobula::release_copy)
MOBULA_LOCAL_MESSAGE(mobula::want_copy)
MOBULA_LOCAL_MESSAGE(mobula::copy_unpinned)
MOBULA_LOCAL_MESSAGE(mobula::copy_written)
MOBULA_LOCAL_MESSAGE(mobula::copy_not_written)
MOBULA_LOCAL_MESSAGE(mobula::copy_read)
MOBULA_LOCAL_MESSAGE(mobula::copy_not_read)
MOBULA_LOCAL_MESSAGE(mobula::spilling_possible_again)
MOBULA_LOCAL_MESSAGE(mobula::stall_timed_out)

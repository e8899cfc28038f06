#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/caf/typed_interface.hpp"
#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/objects/stored_copy.hpp"
#include "mobula/serialization/metadata.hpp"
#include "mobula/store/spill/spill_effects.hpp"
#include "mobula/store/system/io_calls.hpp"

namespace mobula {

/// A shard wants a copy's bytes on disk. Answered by `copy_written` or `copy_not_written`; until
/// then the memory stays as it is.
struct write_copy {
  object_id id;
  copy_pointer copy;

  /// Complete but for the checksum, which whoever writes computes.
  mobula::metadata metadata;
};

/// A shard wants a copy's bytes back, in its memory. Answered by `copy_read` or `copy_not_read`.
struct read_copy {
  object_id id;
};

/// A shard needs the object's bytes on disk no more.
struct forget_copy {
  object_id id;
};

/// The transfers want to know where the object's bytes are on disk. Answered by `record_found`.
struct find_record {
  object_id id;
};

/// Where an object's record is, or was a moment ago: it may be moved at any time.
struct record_place {
  std::string file; ///< its path
  spill_location location;
  std::uint64_t metadata_bytes = 0;
  std::uint64_t data_bytes = 0;
};

struct record_found {
  object_id id;
  std::optional<record_place> place; ///< none if there is no record
};

// -- answers of the I/O workers -------------------------------------------------------------------

struct batch_finished {
  spill_batch_id batch{};
  batch_outcome outcome;
  std::optional<io_failure> failure; ///< what the disk said, if records are missing
  std::chrono::nanoseconds took{};
};

struct batch_moved {
  spill_batch_id batch{};
  move_outcome outcome;
  std::optional<io_failure> failure; ///< the same
};

struct records_read {
  struct record {
    object_id id;
    std::optional<restore_error> error;
  };

  spill_directory directory{};
  std::vector<record> records;
  std::optional<io_failure> failure; ///< what the disk said of one of them, if it said anything
  std::chrono::nanoseconds took{};
};

struct file_removed {
  spill_directory directory{};
  spill_file_id file{};
  std::optional<io_failure> failure; ///< why it is still there
};

/// Plans what goes to disk and back; I/O workers do it.
using spill_manager_actor =
  caf::typed_actor<takes<write_copy>, takes<read_copy>, takes<forget_copy>, takes<find_record>,
                   takes<batch_finished>, takes<batch_moved>, takes<records_read>,
                   takes<file_removed>, takes<collect_stats>, takes<check_tables>,
                   takes<shut_down>>;

class node_core;

/// Starts the spill manager of `core` and its workers, after it has swept the spill directories and
/// claimed them. Throws `object_error`, naming the directory, if one cannot be used.
spill_manager_actor spawn_spill_manager(node_core& core);

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::write_copy)
MOBULA_LOCAL_MESSAGE(mobula::read_copy)
MOBULA_LOCAL_MESSAGE(mobula::forget_copy)
MOBULA_LOCAL_MESSAGE(mobula::find_record)
MOBULA_LOCAL_MESSAGE(mobula::record_found)
MOBULA_LOCAL_MESSAGE(mobula::batch_finished)
MOBULA_LOCAL_MESSAGE(mobula::batch_moved)
MOBULA_LOCAL_MESSAGE(mobula::records_read)
MOBULA_LOCAL_MESSAGE(mobula::file_removed)

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/spill/spill_errors.hpp"

namespace mobula {

/// Numbers a spill file within the life of its node; part of the file's name.
enum class spill_file_id : std::uint64_t {};

/// Index of a directory in the configured list.
enum class spill_directory : std::uint32_t {};

/// Names one write or move under way.
enum class spill_batch_id : std::uint64_t {};

/// Names one read under way, of one or more records.
enum class spill_read_id : std::uint64_t {};

/// Where a record is.
struct spill_location {
  spill_file_id file{};
  spill_directory directory{};
  std::uint64_t offset_bytes = 0;
  std::uint64_t record_bytes = 0;

  friend bool operator==(const spill_location&, const spill_location&) = default;
};

/// One record of a batch; it follows the one before it without a gap.
struct batch_record {
  object_id id;
  std::uint64_t record_bytes = 0;

  friend bool operator==(const batch_record&, const batch_record&) = default;
};

/// One record of a move: where in the old file it is. In the new one it follows the last record
/// before it that was moved, without a gap.
struct moving_record {
  object_id id;
  std::uint64_t offset_bytes = 0;
  std::uint64_t record_bytes = 0;

  friend bool operator==(const moving_record&, const moving_record&) = default;
};

/// How a write ended: so many records of the batch, counted from its first, are whole on disk.
struct batch_outcome {
  std::size_t records_written = 0;
  std::optional<spill_error> error; ///< set if and only if records are missing
};

enum class record_move : std::uint8_t {
  moved,     ///< the record is whole in the new file
  unreadable ///< nothing of it is in the new file: damaged, missing, or the disk cannot say
};

/// How a move ended, for each record in turn up to the first that could not be written.
struct move_outcome {
  std::vector<record_move> records;
  std::optional<spill_error> error; ///< of writing; set if and only if records are missing
};

// -- effects --------------------------------------------------------------------

/// Asks for one write call; answered by `batch_written`. There is never a second write to the same
/// file at the same time. The file is created by the write at offset zero.
struct write_batch {
  spill_batch_id batch;
  spill_file_id file;
  spill_directory directory;
  std::uint64_t offset_bytes;
  std::vector<batch_record> records;
};

/// Asks for records to be read, verified and appended, as they are, to another file; answered by
/// `records_moved`. For the file that it writes to it is a write like `write_batch`. The file that
/// it reads may be deleted meanwhile; then nobody needs the records any more.
struct move_records {
  spill_batch_id batch;
  spill_file_id from_file;
  spill_directory from_directory;
  spill_file_id file;
  spill_directory directory;
  std::uint64_t offset_bytes;
  std::vector<moving_record> records;
};

struct record_to_read {
  object_id id;
  spill_location location;

  friend bool operator==(const record_to_read&, const record_to_read&) = default;
};

/// Asks for one read of records that lie side by side in one file. Each record is answered for
/// itself, by `read_finished` or `read_failed`: a damaged one must not take its neighbours along.
struct read_records {
  spill_file_id file;
  spill_directory directory;
  std::vector<record_to_read> records;
};

/// Asks for a file to be removed, at once: it must not queue behind writes. Reads of freed
/// objects, and of records that were moved, may still be under way. Answered by `file_deleted` or
/// `delete_failed`.
struct delete_file {
  spill_file_id file;
  spill_directory directory;
};

/// Ends a spill: the record is on disk, the memory is no longer needed by the write.
struct report_spilled {
  object_id id;
};

/// Ends a spill: there is no record, the memory is no longer needed by the write.
struct report_spill_failed {
  object_id id;
  spill_error error;
  spill_round round; ///< in which it failed
};

struct report_restored {
  object_id id;
};

struct report_restore_failed {
  object_id id;
  restore_error error;
};

/// A write failed there: nothing is written to it until `retry_directories`.
struct report_directory_set_aside {
  spill_directory directory;
  spill_error error;
};

/// A write succeeded there again.
struct report_directory_recovered {
  spill_directory directory;
};

/// Spills failed in earlier rounds and may succeed in this one, which begins.
struct report_spilling_possible {
  spill_round round;
};

/// Says, after `shut_down`, that no object and no file is left.
struct report_spill_drained {};

using spill_effect =
  std::variant<write_batch, move_records, read_records, delete_file, report_spilled,
               report_spill_failed, report_restored, report_restore_failed,
               report_directory_set_aside, report_directory_recovered, report_spilling_possible,
               report_spill_drained>;

/// Effects in the order in which they must be carried out. Events append to it.
using spill_effects = std::vector<spill_effect>;

// -- figures --------------------------------------------------------------------

/// Exact at every moment between two events. Bytes are those of whole records.
struct spill_stats {
  // What is there now.
  std::size_t pinned_objects = 0; ///< wait for a write
  std::uint64_t pinned_bytes = 0;
  std::size_t spilling_objects = 0; ///< in a write under way
  std::uint64_t spilling_bytes = 0;
  std::size_t spilled_objects = 0; ///< have a live record
  std::uint64_t live_bytes = 0;
  std::uint64_t dead_bytes = 0; ///< records of freed objects in files that still exist
  std::size_t files = 0;
  std::size_t directories_set_aside = 0;

  // What happened since the start.
  std::uint64_t written_objects = 0;
  std::uint64_t written_bytes = 0;
  std::uint64_t moved_objects = 0; ///< those freed while they were moved included
  std::uint64_t moved_bytes = 0;
  std::uint64_t unreadable_moves = 0; ///< records that stayed, for the next restore to judge
  std::uint64_t restored_objects = 0;
  std::uint64_t restored_bytes = 0;
  std::uint64_t spill_failures = 0; ///< objects whose spill was reported failed, except canceled
  std::uint64_t restore_failures = 0;
  std::uint64_t write_errors = 0; ///< writes and moves that ended early
};

} // namespace mobula

#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/spill/spill_directories.hpp"
#include "mobula/store/spill/spill_effects.hpp"
#include "mobula/store/spill/spill_files.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

struct spill_config {
  std::size_t directories = 1;
  /// No file grows beyond this, except for one that holds a single larger record.
  std::uint64_t max_file_bytes = std::uint64_t{128} << 20;
  /// A write ends before it exceeds this; its first record is always taken.
  std::uint64_t batch_bytes = std::uint64_t{16} << 20;
  std::size_t max_batch_records = 2'000;
  std::size_t max_writes = 2; ///< moves included
  std::size_t max_reads = 4;
  /// A read ends before it exceeds this; its first record is always taken.
  std::uint64_t read_bytes = std::uint64_t{4} << 20;
  /// Bound on the bytes of all files, dead ones included; zero is none.
  std::uint64_t spill_limit_bytes = 0;
  /// A closed file is rewritten when it has so many dead bytes for each live one; zero is never.
  std::uint64_t dead_for_each_live = 3;
  /// A directory that failed n + 1 times in a row sits out 2^n - 1 retries, at most this many,
  /// while others do its work.
  std::size_t max_skipped_retries = 63;
  /// Reads of one record that fail with an I/O error before the restore fails.
  std::size_t max_read_attempts = 3;
};

/// Plans what a spill manager writes where, reads back, and deletes.
///
/// *Objects* go pinned → spilling → spilled ⇄ restoring; a restored object keeps its record, so
/// that its memory can be dropped again without a write. `free` may come at any point: the record
/// is dead at once, and what is under way ends in `canceled`.
///
/// *Files* hold many records and grow by whole writes, one at a time, up to a bound. A file goes as
/// soon as it has no live record and no write; deletions wait for nothing else. After a failed
/// write a file takes no more records, since what is behind its last whole record is unknown.
///
/// *Writes* take records in order of arrival. One that could not be filled waits for more only
/// while another write is under way, whose end looks again: a batch is small only when the disk is
/// idle.
///
/// *Reads* take the record that waits longest, and with it those that wait for being read right
/// behind it in its file: what was spilled together is often wanted together, and one read of many
/// costs little more than a read of one.
///
/// *Moves* keep a few live records from holding a large file: when a closed file is mostly dead,
/// its live records are appended to another one, and it goes. With n dead bytes for each live one,
/// a file of s bytes costs s / (n + 1) to rewrite, at most once. All bytes ever written are those
/// spilled, S, and those moved, M, so M <= (S + M) / (n + 1), that is M <= S / n: a third more
/// writes by default. In return closed files take at most n + 1 times their live bytes; the open
/// ones, at most `max_writes` in each directory, are not counted, since they still fill. One that
/// the spill limit keeps from filling is closed when it is mostly dead.
///
/// A move is a write: it counts to `max_writes`, is as large as a batch at most, and takes turns
/// with spills. It is skipped while the spill limit has no space for all live records of the file,
/// which counts until it is deleted, and goes only to a directory that took its last write. A
/// record keeps its old place until the move has ended, so a restore meanwhile reads there; should
/// the old file go first, it reads again. What is freed meanwhile is dead where it arrives. A
/// record that cannot be read stays: the next restore is to say whether it is lost, or the disk
/// fails.
///
/// *Directories* take turns. One that fails is set aside; the rest of its batch goes to the front
/// of the line for another directory. Only when none is left do spills fail. `retry_directories`,
/// which comes from the caller's timer, lets a directory try again with one write: after ever more
/// retries missed in between as long as others take what is to be written, with each retry once a
/// spill has failed for want of one.
///
/// Every `spill` and every `restore` is answered exactly once, whatever happens. There is one table
/// entry for each object that is pinned or on disk; the shards bound their number.
class spill_table {
public:
  explicit spill_table(const spill_config& config);

  spill_table(const spill_table&) = delete;
  spill_table& operator=(const spill_table&) = delete;

  // -- shards -----------------------------------------------------------------

  /// Asks for the object's record to be written. Ignored while that is under way, confirmed when it
  /// is done already.
  void spill(const object_id& id, std::uint64_t record_bytes, spill_effects& effects);

  /// Asks for the object's record to be read. Joins a read under way. Without a record it fails.
  /// REQUIRES: no spill of it is under way; its memory is still there then.
  void restore(const object_id& id, spill_effects& effects);

  /// The object is no longer needed. Ignored when it is not here.
  void free(const object_id& id, spill_effects& effects);

  // -- answers from the disk --------------------------------------------------

  void batch_written(spill_batch_id batch, const batch_outcome& outcome, spill_effects& effects);

  void records_moved(spill_batch_id move, const move_outcome& outcome, spill_effects& effects);

  void read_finished(const object_id& id, spill_effects& effects);

  void read_failed(const object_id& id, restore_error error, spill_effects& effects);

  /// The file is gone, or was not there.
  void file_deleted(spill_file_id file, spill_effects& effects);

  void delete_failed(spill_file_id file, spill_effects& effects);

  // -- the caller's own -------------------------------------------------------

  /// Tries directories that were set aside, and deletions that failed.
  void retry_directories(spill_effects& effects);

  /// Frees everything and takes nothing new.
  void shut_down(spill_effects& effects);

  /// Forgets the files that could not be deleted, and those that cannot from now on, and leaves
  /// them where they are. Returns how many it forgot. REQUIRES: shut down.
  std::size_t abandon_files(spill_effects& effects);

  // -- properties -------------------------------------------------------------

  [[nodiscard]] bool contains(const object_id& id) const {
    return objects_.contains(id);
  }

  /// Returns where the object's record is, until the next event; nothing if it has none.
  [[nodiscard]] std::optional<spill_location> location_of(const object_id& id) const;

  /// Returns whether there is something for `retry_directories` to try.
  [[nodiscard]] bool awaits_retry() const noexcept;

  [[nodiscard]] spill_stats stats() const;

  /// Recomputes every sum and list from the objects and asserts that they agree. O(n).
  void check_invariants() const;

private:
  enum class place : std::uint8_t {
    pinned,      ///< in `write_queue_`
    spilling,    ///< in a write under way
    spilled,     ///< has a record, nothing under way
    read_queued, ///< has a record, in `read_queue_`
    reading      ///< has a record, unless freed; a read is under way
  };

  struct object {
    std::uint64_t record_bytes = 0;
    place where = place::pinned;
    bool freed = false; ///< raised by `free` while the disk is busy with it, never lowered
    bool moved = false; ///< raised by a move's end during a read, lowered by the next read
    std::size_t read_attempts = 0;
    spill_location location;                   ///< from `spilled` on
    std::list<object_id>::iterator position{}; ///< in its queue while pinned or read-queued
    spill_read_id read{};                      ///< while reading
  };

  struct batch {
    spill_file_id file{};
    std::uint64_t bytes = 0;
    std::vector<batch_record> records;
  };

  struct move {
    spill_file_id from{};
    spill_file_id file{};
    std::uint64_t bytes = 0;
    std::vector<moving_record> records;
  };

  object& get(const object_id& id, place expected);
  void finish_record(const object_id& id, const spill_location& location, spill_effects& effects);
  void fail_rest(const batch& written, std::size_t first, spill_effects& effects);
  void judge_directory(spill_directory id, std::optional<spill_error> error,
                       spill_effects& effects);
  void fail_spill(const object_id& id, spill_error error, spill_effects& effects);
  void report_if_possible_again(spill_effects& effects);
  void fail_restore(const object_id& id, restore_error error, spill_effects& effects);
  void kill_record(object& entry, spill_effects& effects);
  [[nodiscard]] object* find_record(const object_id& id, spill_file_id where,
                                    std::uint64_t offset_bytes);
  void finish_move(const move& ended, const moving_record& record);
  void release_source(spill_file_id id, const move_outcome& outcome, spill_effects& effects);

  void dispatch(spill_effects& effects);
  void dispatch_writes(spill_effects& effects);
  void dispatch_reads(spill_effects& effects);
  void queue_read(const object_id& id, object& entry);
  void start_read(const object_id& first, spill_effects& effects);
  object& end_read(const object_id& id);
  [[nodiscard]] std::vector<record_to_read> readable_from(const object_id& first);
  [[nodiscard]] bool dispatch_spill(spill_effects& effects);
  [[nodiscard]] bool dispatch_move(spill_effects& effects);
  [[nodiscard]] bool within_limit(std::uint64_t more_bytes) const noexcept;
  [[nodiscard]] std::size_t writes_under_way() const noexcept;
  [[nodiscard]] bool worth_waiting() const;
  void start_batch(spill_directory where, spill_effects& effects);
  void start_move(spill_file_id from, spill_directory where, spill_effects& effects);
  void refuse_oldest(spill_error error, spill_effects& effects);
  void queue_write(std::list<object_id>::iterator before, const object_id& id, object& entry);
  void dequeue_write(object& entry);

  void check_objects() const;

  spill_config config_;
  std::unordered_map<object_id, object> objects_;
  spill_files files_;
  spill_directories directories_;
  std::unordered_map<spill_batch_id, batch> batches_; ///< with `moves_` at most `max_writes`
  std::unordered_map<spill_batch_id, move> moves_;
  bool move_is_next_ = false;        ///< whose turn it is
  std::list<object_id> write_queue_; ///< exactly the pinned objects
  std::list<object_id> read_queue_;  ///< exactly the read-queued objects
  /// Reads under way, at most `max_reads`, and how many of their records were not answered yet.
  std::unordered_map<spill_read_id, std::size_t> reads_;
  std::uint64_t batches_named_ = 0;
  std::uint64_t reads_named_ = 0;
  std::uint64_t writing_bytes_ = 0; ///< sum of all batches
  std::uint64_t moving_bytes_ = 0;  ///< sum of all moves
  std::uint64_t pinned_bytes_ = 0;
  spill_round round_{};        ///< raised by `report_spilling_possible`
  bool spills_failed_ = false; ///< in this round
  bool at_limit_ = false;      ///< raised by a record beyond it, lowered when a file is deleted
  bool shutting_down_ = false;
  bool drained_ = false;
  spill_stats counters_; ///< only its second half
};

} // namespace mobula

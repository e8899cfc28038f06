#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/spill/spill_batches.hpp"
#include "mobula/store/spill/spill_config.hpp"
#include "mobula/store/spill/spill_directories.hpp"
#include "mobula/store/spill/spill_effects.hpp"
#include "mobula/store/spill/spill_failures.hpp"
#include "mobula/store/spill/spill_files.hpp"
#include "mobula/store/spill/spill_moves.hpp"
#include "mobula/store/spill/spill_objects.hpp"
#include "mobula/store/spill/spill_reads.hpp"
#include "mobula/store/spill/write_quota.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

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
/// *Parts.* `spill_objects` and `spill_files` know what is where, `spill_directories` whose turn it
/// is to be written to; `spill_batches` writes, `spill_reads` reads back, `spill_moves` rewrites,
/// within a `write_quota`; `spill_failures` ends what comes to nothing.
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
  [[nodiscard]] std::optional<spill_location> location_of(const object_id& id) const {
    return objects_.location_of(id);
  }

  /// Returns whether there is something for `retry_directories` to try.
  [[nodiscard]] bool awaits_retry() const noexcept;

  [[nodiscard]] spill_stats stats() const;

  /// Recomputes every sum and list from the objects and asserts that they agree. O(n).
  void check_invariants() const;

private:
  void finish_record(const object_id& id, const spill_location& location, spill_effects& effects);
  void fail_rest(const spill_batches::batch& written, std::size_t first, spill_effects& effects);
  void kill_record(const spill_entry& entry, spill_effects& effects);
  void dispatch(spill_effects& effects);
  void dispatch_writes(spill_effects& effects);
  [[nodiscard]] bool dispatch_spill(spill_effects& effects);
  [[nodiscard]] bool dispatch_move(spill_effects& effects);
  void refuse_oldest(spill_error error, spill_effects& effects);

  spill_config config_;
  spill_objects objects_;
  spill_files files_;
  spill_directories directories_;
  spill_stats counters_; ///< only its second half
  spill_failures failures_;
  write_quota quota_;
  spill_batches batches_;
  spill_moves moves_;
  spill_reads reads_;
  bool move_is_next_ = false; ///< whose turn it is
  bool at_limit_ = false;     ///< raised by a record beyond it, lowered when a file is deleted
  bool shutting_down_ = false;
  bool drained_ = false;
};

} // namespace mobula

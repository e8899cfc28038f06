#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <set>
#include <unordered_map>
#include <vector>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/spill/spill_effects.hpp"

namespace mobula {

/// The files of a `spill_table`: what is in each, which of them take more records, which are to be
/// rewritten because they are mostly dead, and which go. A file goes as soon as it has no live
/// record and no write.
///
/// | field             | raised by                | lowered by                          |
/// |-------------------|--------------------------|-------------------------------------|
/// | files_            | `pick`                   | `deleted`, `delete_failed` at the   |
/// |                   |                          | end, `abandon`                      |
/// | bytes_            | `grow`                   | as files_                           |
/// | live_bytes_,      | `add_record`             | `kill_record`                       |
/// | live_records_     |                          |                                     |
/// | deletions_        | the last record's end    | `deleted`, `delete_failed`          |
/// | failed_deletions_ | `delete_failed`          | `retry_deletions`, `abandon`        |
class spill_files {
public:
  struct limits {
    std::uint64_t max_file_bytes = 0;
    std::uint64_t dead_for_each_live = 0; ///< zero: no file is worth rewriting
  };

  enum class file_state : std::uint8_t {
    open,         ///< takes more records
    closed,       ///< takes no more
    deleting,     ///< `delete_file` is under way
    delete_failed ///< waits for `retry_deletions`
  };

  struct file_record {
    object_id id;
    std::uint64_t offset_bytes = 0;
  };

  struct file {
    spill_directory directory{};
    file_state state = file_state::open;
    bool writing = false; ///< raised when a write or move to it begins, lowered at its end
    bool moving = false;  ///< likewise, of a move of its records
    /// Raised when a record could not be read, lowered when one dies and by `retry_moves`: another
    /// move would read the same.
    bool move_failed = false;
    std::vector<file_record> records; ///< in order; the dead ones among them go with each move
    std::uint64_t size_bytes = 0;     ///< raised by finished writes, never lowered
    std::uint64_t live_bytes = 0;     ///< raised by finished writes, lowered when a record dies
    std::size_t live_records = 0;     ///< likewise
  };

  spill_files(const limits& bounds, std::size_t directories) : bounds_(bounds), open_(directories) {
    // nop
  }

  // -- files --------------------------------------------------------------------------------------

  /// REQUIRES: there is one.
  [[nodiscard]] file& get(spill_file_id id);

  /// Returns null if it is gone.
  [[nodiscard]] file* find(spill_file_id id);

  /// Returns a file with space for a record of this size: an open one, or a new one.
  [[nodiscard]] spill_file_id pick(spill_directory where, std::uint64_t first_bytes);

  /// It takes no more. Ignored if it does not already.
  void close(spill_file_id id);

  /// Closes open files that are mostly dead. At the limit no file fills any more: open ones would
  /// hold their dead bytes until the last of their records dies, which may be never.
  void close_what_cannot_fill();

  /// To be called whenever `moving` or `move_failed` has changed.
  void update_sparse(spill_file_id id);

  // -- records ------------------------------------------------------------------------------------

  /// A record was written. Returns where.
  std::uint64_t grow(spill_file_id id, std::uint64_t record_bytes);

  /// What was written there is of use.
  void add_record(spill_file_id id, const file_record& record, std::uint64_t record_bytes);

  /// It is dead. Has the file deleted if it was the last.
  void kill_record(spill_file_id id, std::uint64_t record_bytes, spill_effects& effects);

  /// A live record of one file is part of another one.
  void hand_over(spill_file_id from, spill_file_id to, const file_record& record,
                 std::uint64_t record_bytes);

  // -- ends ---------------------------------------------------------------------------------------

  /// To be called when a write or a move has ended, too.
  void delete_if_dead(spill_file_id id, spill_effects& effects);

  void deleted(spill_file_id id);

  void delete_failed(spill_file_id id);

  void retry_deletions(spill_effects& effects);

  /// Lets files be moved again of which a record could not be read.
  void retry_moves();

  /// Forgets the files that could not be deleted, and those that cannot from now on. Returns how
  /// many it forgot.
  std::size_t abandon();

  // -- properties ---------------------------------------------------------------------------------

  /// Exactly the files to be rewritten; sorted for replays.
  [[nodiscard]] const std::set<spill_file_id>& sparse() const noexcept {
    return sparse_;
  }

  /// REQUIRES: there is such a file.
  [[nodiscard]] std::uint64_t size_of(spill_file_id id) const {
    return files_.at(id).size_bytes;
  }

  [[nodiscard]] std::size_t count() const noexcept {
    return files_.size();
  }

  /// Sum of all files' sizes.
  [[nodiscard]] std::uint64_t bytes() const noexcept {
    return bytes_;
  }

  [[nodiscard]] std::uint64_t live_bytes() const noexcept {
    return live_bytes_;
  }

  [[nodiscard]] std::size_t live_records() const noexcept {
    return live_records_;
  }

  /// Deletions under way.
  [[nodiscard]] std::size_t deletions() const noexcept {
    return deletions_;
  }

  [[nodiscard]] std::size_t failed_deletions() const noexcept {
    return failed_deletions_;
  }

  /// Recomputes every sum and list from the files, of which `writing` are being written, and
  /// asserts that they agree. O(n).
  void check_invariants(std::size_t writing) const;

private:
  [[nodiscard]] bool is_mostly_dead(const file& candidate) const noexcept;
  [[nodiscard]] bool is_sparse(const file& candidate) const noexcept;
  void check_file(spill_file_id id, const file& entry) const;

  std::list<spill_file_id>& open_in(spill_directory where) {
    return open_.at(static_cast<std::size_t>(where));
  }

  limits bounds_;
  std::unordered_map<spill_file_id, file> files_;
  std::vector<std::list<spill_file_id>> open_; ///< of each directory; at most one for each write
  std::set<spill_file_id> sparse_;
  std::uint64_t named_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t live_bytes_ = 0;
  std::size_t live_records_ = 0;
  std::size_t deletions_ = 0;
  std::size_t failed_deletions_ = 0;
  bool abandoning_ = false; ///< raised by `abandon`, never lowered
};

} // namespace mobula

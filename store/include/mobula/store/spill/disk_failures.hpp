#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mobula/store/spill/spill_effects.hpp"
#include "mobula/store/system/io_calls.hpp"

namespace mobula {

/// What disks said last, for those whom it concerns.
struct disk_trouble {
  std::string writing; ///< of each directory that takes nothing, why; empty if all take writes
  std::string reading; ///< why a read failed, the last that did
};

/// What fails in a node's spill directories, and what is to be said of it. No CAF, no I/O.
///
/// A disk that fails does so again and again, so each directory's failures of one kind are worth a
/// line in the log when they begin, and when their cause is another one. Some begin again and
/// again, as on a disk that is full but for moments: of such turns for the worse, the first,
/// second, fourth, eighth and so on are told, and the recovery from what was told.
class directory_failures {
public:
  explicit directory_failures(std::vector<std::string> directories);

  // Each returns what the log has to say now, if anything.

  /// A directory takes no more writes, or still takes none.
  std::optional<std::string> write_failed(spill_directory where, const io_failure& why);

  /// A directory takes writes again, or still does.
  std::optional<std::string> wrote(spill_directory where);

  std::optional<std::string> read_failed(spill_directory where, const io_failure& why);

  std::optional<std::string> remove_failed(spill_directory where, const io_failure& why);

  /// A file of the directory was removed.
  void removed(spill_directory where);

  [[nodiscard]] const disk_trouble& trouble() const noexcept {
    return trouble_;
  }

private:
  struct directory {
    std::string name;
    std::optional<io_failure> writing{}; ///< none if it takes writes
    bool is_told = false;                ///< the log knows that it takes none
    int reading = 0;  ///< the error of the last read that failed: others may go on ending well
    int removing = 0; ///< the error as long as removals fail
    // How often it took a turn for the worse.
    std::uint64_t write_turns = 0;
    std::uint64_t read_turns = 0;
    std::uint64_t remove_turns = 0;
  };

  [[nodiscard]] directory& get(spill_directory where);
  void describe_writing();

  std::vector<directory> directories_;
  disk_trouble trouble_;
};

} // namespace mobula

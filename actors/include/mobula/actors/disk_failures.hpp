#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mobula/store/io_calls.hpp"
#include "mobula/store/spill_effects.hpp"

namespace mobula {

/// What disks said last, for those whom it concerns.
struct disk_trouble {
  std::string writing; ///< of each directory that takes nothing, why; empty if all take writes
  std::string reading; ///< why a read failed, the last that did
};

/// What fails in a node's spill directories, and what is to be said of it. No CAF, no I/O.
///
/// A disk that fails does so again and again, so each directory's failures of one kind are worth a
/// line in the log when they begin, and when their cause is another one.
class directory_failures {
public:
  explicit directory_failures(std::vector<std::string> directories);

  // Each returns what the log has to say now, if anything.

  /// A directory takes no more writes, or still takes none.
  std::optional<std::string> write_failed(spill_directory where, const io_failure& why);

  /// A directory takes writes again.
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
    int reading = 0;  ///< the error of the last read that failed: others may go on ending well
    int removing = 0; ///< the error as long as removals fail
  };

  [[nodiscard]] directory& get(spill_directory where);
  void describe_writing();

  std::vector<directory> directories_;
  disk_trouble trouble_;
};

} // namespace mobula

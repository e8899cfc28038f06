#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "mobula/store/spill/spill_effects.hpp"

namespace mobula {

/// The directories of a `spill_table`: which of them takes the next write, and which is set aside
/// because one failed. They take turns. One that failed may try again with one write (`probation`),
/// after ever more retries missed in between.
class spill_directories {
public:
  enum class pick : std::uint8_t { found, all_busy, none_left };

  /// Who waits for a directory that was set aside.
  enum class urgency : std::uint8_t {
    none,
    spills ///< some have failed for want of one: a disk that is back is to be found at once
  };

  /// `max_skipped_retries` is how many are missed at most.
  spill_directories(std::size_t count, std::size_t max_skipped_retries)
    : directories_(count), max_skipped_retries_(max_skipped_retries) {
    // nop
  }

  /// Looks for the next one that takes a write now.
  [[nodiscard]] pick find_next();

  /// Takes the turn of the one that was found. REQUIRES: the last `find_next` found one.
  spill_directory take_turn();

  /// Takes the turn of the next one that took its last write. One on probation is left to spills:
  /// they wait with memory in their hands.
  [[nodiscard]] std::optional<spill_directory> take_good_turn();

  void write_began(spill_directory id) {
    ++get(id).writes;
  }

  /// Says whether the directory was good for it.
  void write_ended(spill_directory id, std::optional<spill_error> error, spill_effects& effects);

  /// Lets those that were set aside try again. Returns whether any may.
  [[nodiscard]] bool retry(urgency who);

  // -- properties ---------------------------------------------------------------------------------

  [[nodiscard]] std::size_t set_aside() const noexcept;

  /// That of the last one set aside.
  [[nodiscard]] spill_error last_error() const noexcept {
    return last_error_;
  }

  /// Writes that ended early, since the start.
  [[nodiscard]] std::uint64_t write_errors() const noexcept {
    return write_errors_;
  }

private:
  enum class directory_state : std::uint8_t { good, probation, aside };

  struct directory {
    directory_state state = directory_state::good;
    std::size_t failures = 0;        ///< in a row
    std::size_t retries_to_skip = 0; ///< until it may try again
    std::size_t writes = 0;          ///< under way
  };

  directory& get(spill_directory id) {
    return directories_.at(static_cast<std::size_t>(id));
  }

  std::vector<directory> directories_;
  std::size_t max_skipped_retries_;
  std::size_t next_ = 0; ///< whose turn it is
  std::uint64_t write_errors_ = 0;
  spill_error last_error_ = spill_error::io_error;
};

} // namespace mobula

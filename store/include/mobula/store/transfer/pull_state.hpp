#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "mobula/store/transfer/byte_ranges.hpp"
#include "mobula/store/transfer/pull_effects.hpp"
#include "mobula/store/transfer/source_list.hpp"

namespace mobula {

enum class pull_phase : std::uint8_t {
  waiting,   ///< has no buffer and asks for none
  reserving, ///< `reserve_buffer` is not answered
  active,    ///< has a buffer
  draining   ///< has a buffer, and gives it back when its asks have ended
};

/// Place in the order of pulls: class, then number.
struct pull_place {
  pull_priority priority{};
  std::uint64_t number = 0;

  friend auto operator<=>(const pull_place&, const pull_place&) = default;
};

/// What `pull_table` knows of one pull. Its events raise and lower all fields.
struct pull_state {
  struct timer {
    pull_timer_purpose purpose{};
    std::uint64_t generation = 0;
  };

  [[nodiscard]] bool wanted() const noexcept {
    return !tokens.empty();
  }

  [[nodiscard]] bool has_buffer() const noexcept {
    return where == pull_phase::active || where == pull_phase::draining;
  }

  /// Returns whether its owner has said how large it is and who has it.
  [[nodiscard]] bool has_copies() const noexcept {
    return size_bytes && !sources.empty();
  }

  /// REQUIRES: its size is known.
  [[nodiscard]] bool complete() const {
    return here.first_gap(*size_bytes).size() == 0;
  }

  /// That of the most urgent request.
  [[nodiscard]] pull_place place() const noexcept {
    auto priority = pull_priority::argument;
    for (auto candidate : {pull_priority::wait, pull_priority::get})
      if (requests[static_cast<std::size_t>(candidate)] > 0)
        priority = candidate;
    return {priority, number};
  }

  std::vector<pull_token> tokens;        ///< raised by `pull`, lowered by `cancel` and reports
  std::array<std::size_t, 3> requests{}; ///< the number of them by class
  std::uint64_t number = 0;              ///< rises from one pull to the next
  pull_phase where = pull_phase::waiting;
  /// Raised when the store refuses and when memory is tight; lowered when others gave a buffer
  /// back, and by the retry timer.
  bool held = false;
  /// While reserving: raised by `withdraw_buffer`. The answer changes nothing but that.
  bool withdrawn = false;
  /// While draining: raised by a new size, by `pending` news and by tight memory. New requests
  /// do not save what is here then.
  bool restart = false;
  reserve_priority priority = reserve_priority::if_free; ///< of the last reservation
  std::optional<std::uint64_t> size_bytes; ///< set by the first news, replaced by later ones
  std::uint64_t news = 0;                  ///< sequence of the last one
  object_readiness readiness = object_readiness::ready;
  source_list sources;
  byte_ranges here;                ///< raised by `bytes_arrived`; empty without a buffer
  byte_ranges asked;               ///< `here` and what is under way
  std::set<ask_number> asks;       ///< under way; at most `chunks_per_pull`
  std::size_t retries = 0;         ///< timers in a row, since a buffer or bytes came
  bool progress = false;           ///< raised by bytes and asks, lowered by the sweep
  std::uint64_t buffer_bytes = 0;  ///< that it has or asks for
  bool running = false;            ///< has a buffer, or asks for it, and can get on
  std::uint64_t running_bytes = 0; ///< its share of those of the table
  bool counted_buffer = false;     ///< it is one of the table's buffers
  std::optional<timer> waits_for;  ///< at most one timer counts
};

} // namespace mobula

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "mobula/store/transfer/ask_planner.hpp"
#include "mobula/store/transfer/pull_config.hpp"
#include "mobula/store/transfer/pull_effects.hpp"
#include "mobula/store/transfer/pull_lists.hpp"
#include "mobula/store/transfer/pull_set.hpp"
#include "mobula/store/transfer/pull_state.hpp"

namespace mobula {

/// Which pulls have a buffer in the store, and how they get it and give it back. Part of
/// `pull_table`, which delists a pull before it calls any of these for it.
class pull_admission {
public:
  /// REQUIRES: all outlive this.
  pull_admission(const pull_config& config, pull_set& pulls, pull_lists& lists,
                 ask_planner& planner, pull_stats& counters)
    : config_(config), pulls_(pulls), lists_(lists), planner_(planner), counters_(counters) {
    // nop
  }

  pull_admission(const pull_admission&) = delete;
  pull_admission& operator=(const pull_admission&) = delete;

  /// Asks for the buffer of the pull whose turn it is. Returns which one that is; nothing if none
  /// may ask.
  [[nodiscard]] std::optional<object_id> reserve_next(pull_effects& effects);

  /// Asks for no buffer any more. The answer to what was asked comes all the same.
  void withdraw(const object_id& id, pull_state& entry, pull_effects& effects);

  /// Makes the pull begin again, without the buffer that it has or asks for.
  void restart(const object_id& id, pull_state& entry, pull_effects& effects);

  /// The pull gives its buffer back as soon as its asks have ended.
  void drain(pull_state& entry, pull_effects& effects);

  /// The others may have the pull's buffer. REQUIRES: its asks have ended.
  void give_back(const object_id& id, pull_state& entry, pull_effects& effects);

  /// Returns which pulls are to give their buffers back for so many bytes: the last in the order,
  /// down to the given place, never gets.
  [[nodiscard]] std::vector<object_id> choose_to_reclaim(std::uint64_t bytes,
                                                         const pull_place& after) const;

private:
  [[nodiscard]] bool may_admit(const pull_state& entry) const;

  const pull_config& config_;
  pull_set& pulls_;
  pull_lists& lists_;
  ask_planner& planner_;
  pull_stats& counters_;
};

} // namespace mobula

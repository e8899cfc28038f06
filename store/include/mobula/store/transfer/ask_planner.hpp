#pragma once

#include <optional>

#include "mobula/store/transfer/byte_ranges.hpp"
#include "mobula/store/transfer/pull_asks.hpp"
#include "mobula/store/transfer/pull_config.hpp"
#include "mobula/store/transfer/pull_effects.hpp"
#include "mobula/store/transfer/pull_lists.hpp"
#include "mobula/store/transfer/pull_state.hpp"
#include "mobula/store/transfer/pull_timers.hpp"

namespace mobula {

/// Plans which bytes each pull asks for, how many at a time and of whom, and says what it waits for
/// when there is nobody to ask. Part of `pull_table`.
class ask_planner {
public:
  /// REQUIRES: all outlive this.
  ask_planner(const pull_config& config, pull_asks& asks, pull_lists& lists, pull_timers& timers)
    : config_(config), asks_(asks), lists_(lists), timers_(timers) {
    // nop
  }

  ask_planner(const ask_planner&) = delete;
  ask_planner& operator=(const ask_planner&) = delete;

  /// Asks for the first missing bytes, as long as the pull may. One that only the bound on all asks
  /// keeps from it is noted as hungry.
  void ask_more(const object_id& id, pull_state& entry, pull_effects& effects);

  /// What was asked is no longer needed. The ends of the asks come all the same.
  void cancel(const pull_state& entry, pull_effects& effects);

  /// Counts anew whether the pull runs, that is, has a buffer or asks for it and can get on.
  void recount(const object_id& id, pull_state& entry);

  /// Returns what the pull waits for, if only time can help.
  [[nodiscard]] std::optional<pull_timer_purpose> wanted_timer(const object_id& id,
                                                               const pull_state& entry) const;

private:
  [[nodiscard]] bool ask_once(const object_id& id, pull_state& entry, pull_effects& effects);
  void begin(const object_id& id, pull_state& entry, byte_range range, pull_effects& effects);
  [[nodiscard]] std::optional<incarnation_id> pick_source(const object_id& id,
                                                          const pull_state& entry) const;

  const pull_config& config_;
  pull_asks& asks_;
  pull_lists& lists_;
  pull_timers& timers_;
};

} // namespace mobula

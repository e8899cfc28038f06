#pragma once

#include <cstdint>
#include <optional>

#include "mobula/store/transfer/pull_effects.hpp"
#include "mobula/store/transfer/pull_state.hpp"

namespace mobula {

/// The timers of `pull_table`: at most one for each pull, for what only time can help, and one, the
/// sweep, that watches all asks; there may be ten thousand objects in the time of one.
class pull_timers {
public:
  struct spans {
    std::uint64_t locate_ms = 0;
    std::uint64_t retry_ms = 0; ///< the first one; doubles with each further one
    std::uint64_t stall_ms = 0; ///< between sweeps
  };

  explicit pull_timers(const spans& times) : times_(times) {
    // nop
  }

  /// The pull waits for this from now on. Goes on if it did already.
  void set(const object_id& id, pull_state& entry, std::optional<pull_timer_purpose> purpose,
           pull_effects& effects);

  void stop(const object_id& id, pull_state& entry, pull_effects& effects);

  /// Ignored while there is one.
  void start_sweep(pull_effects& effects);

  void stop_sweep(pull_effects& effects);

  /// The timer of the sweep has fired. Returns whether it is the one that counts, and is over now.
  [[nodiscard]] bool end_sweep(std::uint64_t generation);

  [[nodiscard]] bool sweeping() const noexcept {
    return sweeping_;
  }

private:
  spans times_;
  std::uint64_t numbered_ = 0;
  std::uint64_t sweep_generation_ = 0;
  bool sweeping_ = false;
};

} // namespace mobula

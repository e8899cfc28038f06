#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>

#include "mobula/store/shard/shard_effects.hpp"

namespace mobula {

/// What the disk takes at this moment, as far as a `store_table` was told. Rounds begin when it may
/// be worth another try; what failed before may be told later.
class disk_readiness {
public:
  /// Returns whether it is worth asking for a write.
  [[nodiscard]] bool takes_more() const noexcept {
    return !failed_in_ || *failed_in_ < possible_in_;
  }

  /// Returns whether an object is too large for what is left of the limit on disk.
  [[nodiscard]] bool is_beyond_limit(std::size_t size_bytes) const noexcept {
    return beyond_limit_bytes_ && size_bytes >= *beyond_limit_bytes_;
  }

  /// Returns whether what was found out in this round still holds.
  [[nodiscard]] bool is_current(const std::optional<spill_round>& round) const noexcept {
    return round && *round >= possible_in_;
  }

  /// The latest that began.
  [[nodiscard]] spill_round round() const noexcept {
    return possible_in_;
  }

  void wrote() noexcept {
    failed_in_.reset();
  }

  void failed(spill_round round) noexcept {
    failed_in_ = std::max(round, failed_in_.value_or(round));
  }

  void found_beyond_limit(std::size_t size_bytes, spill_round round) noexcept {
    if (round >= possible_in_)
      beyond_limit_bytes_ = std::min(size_bytes, beyond_limit_bytes_.value_or(size_bytes));
  }

  void began(spill_round round) noexcept {
    possible_in_ = std::max(round, possible_in_);
    beyond_limit_bytes_.reset();
  }

private:
  spill_round possible_in_{};
  std::optional<spill_round> failed_in_; ///< the latest in which the disk took nothing
  /// The least object that was found too large for what is left on disk, in this round.
  std::optional<std::size_t> beyond_limit_bytes_;
};

} // namespace mobula

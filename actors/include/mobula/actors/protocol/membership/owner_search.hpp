#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "mobula/serialization/ids.hpp"

namespace mobula {

/// Owners that references here name and that this node has no session with: how long each is waited
/// for. No CAF, no clock.
///
/// Idea: whoever sends a reference is connected to its owner, and so its membership vouches for it
/// here, now or in a moment. The membership then dials by itself. So a search asks nobody: it looks
/// once a round whether somebody vouches for the owner, and gives up when nobody did for a whole
/// round (it is dead, or has left), or when an owner that others vouch for has no session after the
/// last one: it can be reached by them, but not from here.
///
/// *Bounds*: owners that references name, each for `max_rounds`.
///
/// | field    | raised by | lowered by                  |
/// |----------|-----------|-----------------------------|
/// | rounds_  | `begin`   | `found`; `round_over`       |
/// | running_ | `begin`   | both, of the last one       |
class owner_search {
public:
  static constexpr std::uint32_t max_rounds = 10;

  /// Returns whether a round has to be started, which ends in `round_over`.
  [[nodiscard]] bool begin(const incarnation_id& owner);

  /// There is a session. The round that runs is not needed any more if the search is `idle` then.
  void found(const incarnation_id& owner);

  /// Returns those that are given up. Another round has to be started unless the search is `idle`.
  [[nodiscard]] std::vector<incarnation_id>
  round_over(const std::function<bool(const incarnation_id&)>& is_vouched_for);

  /// Returns whether no round is running.
  [[nodiscard]] bool idle() const noexcept {
    return !running_;
  }

private:
  std::map<incarnation_id, std::uint32_t> rounds_; ///< by owner: how many ended since its begin
  bool running_ = false;
};

} // namespace mobula

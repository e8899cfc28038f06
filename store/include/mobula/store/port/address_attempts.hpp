#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "mobula/store/transfer/source_reach.hpp"

namespace mobula {

/// One attempt to connect to a node that has several addresses: tries one after the other, each for
/// half of the time that is left, the last one for all of it. So the first, which is the likeliest,
/// is waited for longest, and one that drops all packets uses up no more than its part.
///
/// REQUIRES: there is an address.
class address_attempts {
public:
  address_attempts(std::size_t addresses, std::chrono::milliseconds limit);

  /// Returns which address is tried.
  [[nodiscard]] std::size_t current() const noexcept {
    return current_;
  }

  /// Returns for how long it is tried.
  [[nodiscard]] std::chrono::milliseconds patience() const noexcept;

  /// The current one has failed. Returns whether another one is tried now.
  [[nodiscard]] bool failed(connect_failure why) noexcept;

  /// Returns the failure that stands for those of all addresses: the one that costs most time, as
  /// the next attempt will cost it again. REQUIRES: one has failed.
  [[nodiscard]] connect_failure worst() const noexcept {
    return *worst_;
  }

private:
  std::size_t addresses_;
  std::size_t current_ = 0;
  std::chrono::milliseconds left_; ///< for the current address and those after it
  std::optional<connect_failure> worst_;
};

} // namespace mobula

#pragma once

#include <utility>

#include "mobula/outcome.hpp"

namespace mobula::internal {

/// Whether a request has its handler yet, which it takes once. Moves with the request: the one that
/// was moved from asks nobody, and says so. Belongs to the request's actor.
class handler_slot {
public:
  handler_slot() noexcept = default;
  handler_slot(const handler_slot&) noexcept = default;
  handler_slot& operator=(const handler_slot&) noexcept = default;

  handler_slot(handler_slot&& other) noexcept
    : state_(std::exchange(other.state_, state::moved_from)) {
    // nop
  }

  handler_slot& operator=(handler_slot&& other) noexcept {
    state_ = std::exchange(other.state_, state::moved_from);
    return *this;
  }

  ~handler_slot() = default;

  /// Throws `object_error` (`invalid_argument`) unless this is the first time, and if the request
  /// was moved from.
  void take() {
    if (state_ == state::moved_from)
      throw_request_moved_from();
    if (std::exchange(state_, state::taken) == state::taken)
      throw_handler_attached();
  }

private:
  enum class state : unsigned char { open, taken, moved_from };

  state state_ = state::open;
};

} // namespace mobula::internal

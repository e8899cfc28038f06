#pragma once

#include <functional>

#include "mobula/serialization/ids.hpp"

namespace mobula {

/// What a reference exchange needs of the actor that it is a part of. Called by that actor only.
class exchange_host {
public:
  virtual ~exchange_host() = default;

  /// A reference came here through a third node, and there is no session with its owner. Ends in
  /// `session_opened` or `owner_unreachable`.
  virtual void find_owner(const incarnation_id& owner) = 0;

  /// A timer of the exchange has ended. Calls `event` as any event of the exchange: after a turn.
  virtual void timer_ended(const std::function<void()>& event) = 0;
};

} // namespace mobula

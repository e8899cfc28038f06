#pragma once

#include <chrono>

#include <caf/actor_system_config.hpp>

#include "mobula/actors/node/node_options.hpp"

namespace mobula::internal {

/// Returns a node's options as the group `mobula` of `config` says, defaults for those that are not
/// given. Passes over keys that are no option. Throws `object_error` (`invalid_argument`) that
/// names the first option whose value has another kind or makes no sense.
[[nodiscard]] node_options node_options_of(const caf::actor_system_config& config);

/// Returns how long a program may take to end after a signal, as `mobula.stop-limit` says. Throws
/// `object_error` (`invalid_argument`) if that is no time, or below zero.
[[nodiscard]] std::chrono::nanoseconds stop_limit_of(const caf::actor_system_config& config);

} // namespace mobula::internal

#pragma once

#include <utility>

#include <caf/actor_system.hpp>
#include <caf/spawn_options.hpp>

#include "mobula/actors/caf/caf_version.hpp"

namespace mobula {

/// Starts a service actor: hidden, so that an actor system does not wait for it at its end.
template <class F, class... Ts>
auto spawn_service(caf::actor_system& system, F behavior, Ts&&... arguments) {
  return system.spawn<caf::hidden>(behavior, std::forward<Ts>(arguments)...);
}

} // namespace mobula

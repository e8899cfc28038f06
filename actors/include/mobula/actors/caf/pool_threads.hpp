#pragma once

#include <caf/fwd.hpp>

#include "mobula/actors/caf/caf_version.hpp"

namespace mobula {

/// Returns whether the calling thread is one of those that the actors of `system` share. The
/// schedulers know the threads of their pools, and nobody else does. O(threads).
[[nodiscard]] bool is_pool_thread(caf::actor_system& system);

} // namespace mobula

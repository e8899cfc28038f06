#pragma once

#include "mobula/actors/caf_compat.hpp"

namespace mobula {

/// Returns whether the calling thread belongs to an actor system that was configured with
/// `mobula::config`: such a thread runs actors and must not wait for other actors.
[[nodiscard]] bool on_worker_thread() noexcept;

/// Has `config` mark the threads of its actor system.
void mark_worker_threads(caf::actor_system_config& config);

} // namespace mobula

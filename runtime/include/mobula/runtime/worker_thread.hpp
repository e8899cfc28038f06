#pragma once

#include <string_view>

#include <caf/actor_system_config.hpp>

namespace mobula {

/// Returns whether the calling thread belongs to an actor system that was configured with
/// `mobula::config`: such a thread runs actors and must not wait for other actors.
[[nodiscard]] bool on_worker_thread() noexcept;

/// Returns whether the calling thread is one of those that the actors of such a system share. An
/// actor that waits on one keeps it from all others: with one thread, nobody is left to wake it.
/// Detached and blocking actors have threads of their own. O(threads): for who is about to wait.
[[nodiscard]] bool on_pool_thread() noexcept;

/// Throws `object_error` (`invalid_argument`) on such a thread. `what` was called, and `instead`,
/// which follows "use", is for actors.
void require_may_block(std::string_view what, std::string_view instead);

/// Has `config` mark the threads of its actor system.
void mark_worker_threads(caf::actor_system_config& config);

} // namespace mobula

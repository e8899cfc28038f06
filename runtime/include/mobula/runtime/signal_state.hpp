#pragma once

#include <cstdint>
#include <optional>

/// What this process knows of SIGINT and SIGTERM. Signals belong to a process, not to a node, so
/// this is the one thing of the runtime that is global.

namespace mobula::internal {

/// The part of a program that handles signals.
enum class signal_holder : std::uint8_t {
  runtime,     ///< `run_main`
  application, ///< a `stop_signal` of the application's own
};

/// From the first holder on, the first signal is only noted, and a second one ends the process at
/// once, as it does by default. A signal that the process ignores or handles itself is left alone.
/// Throws `std::system_error` if the system gives no file descriptor. Any thread.
void hold_signals(signal_holder who);

/// The last holder's call has signals end the process again. REQUIRES: held, by this process.
void release_signals(signal_holder who) noexcept;

/// Returns whether the application itself waits for signals, and so wants to end by itself.
[[nodiscard]] bool application_holds_signals() noexcept;

/// Returns the number of the signal that came while they were held.
[[nodiscard]] std::optional<int> received_signal() noexcept;

/// Returns a file descriptor that is readable from the first signal on. Nobody reads it: so all who
/// poll it learn of the signal. REQUIRES: held.
[[nodiscard]] int signal_event() noexcept;

} // namespace mobula::internal

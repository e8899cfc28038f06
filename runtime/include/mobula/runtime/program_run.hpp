#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "mobula/cluster.hpp"
#include "mobula/node.hpp"

namespace mobula::internal {

/// Tells on the standard error what a program ends with. REQUIRES: called in a handler.
void print_current_exception();

/// What `run_main` does around the application's function: follows the options of the network,
/// notes signals, waits for actors, and ends a program that a signal has told to.
///
/// *A signal.* Who waits for it himself (`stop_signal`) ends by himself. Otherwise the node leaves
/// its cluster and shuts down at once, in a thread of its own: what the function waits for ends
/// with `shutting_down`, and so does the function, as a rule. A function that does not return, and
/// actors that do not end, are left behind after `mobula.stop-limit`: by then the node has removed
/// its files, and the process exits without them.
class program_run {
public:
  /// Signals are noted from here on. Throws `object_error`.
  explicit program_run(std::chrono::nanoseconds stop_limit);

  program_run(const program_run&) = delete;
  program_run& operator=(const program_run&) = delete;

  ~program_run();

  /// Runs `body`, and returns when that has returned and all actors of the system are done. Returns
  /// what `body` returned, or 1 after an error, which is printed. Ends the process itself in a
  /// child that `body` forked, and after a signal if something does not end. Call once.
  int run(node& owner, cluster& network, const std::function<int()>& body);

  /// Returns the exit code of a program whose own is `code`: that of the signal, if one came.
  [[nodiscard]] int exit_code(int code) const noexcept;

private:
  /// What the program is at.
  enum class phase : std::uint8_t {
    running,  ///< in `body`
    returned, ///< waits for actors
    over,
  };

  int run_body(node& owner, cluster& network, const std::function<int()>& body);
  void enter(phase next);
  [[nodiscard]] bool await_phase(phase reached, std::chrono::nanoseconds limit);
  [[nodiscard]] bool await_signal() const;
  void stop_on_signal(node_core& core);
  void await_end_of(node_core& core);
  [[noreturn]] void leave_behind() const;

  std::chrono::nanoseconds stop_limit_;
  std::mutex mutex_;
  std::condition_variable phase_changed_;
  phase phase_ = phase::running; ///< guarded by the mutex
  int over_event_ = -1;          ///< readable from `phase::over` on
};

} // namespace mobula::internal

#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace mobula::command {

/// How a process ended: with a code, or by a signal.
struct process_end {
  int code = 0;
  int signal = 0; ///< 0 if it ended by itself

  /// As shells say it.
  [[nodiscard]] int exit_code() const {
    return signal != 0 ? 128 + signal : code;
  }

  /// Returns whether somebody asked it to end, by SIGINT, SIGTERM or SIGHUP: it died of that, or
  /// ended with the code that says so, as `run_main` does.
  [[nodiscard]] bool was_asked() const;

  bool operator==(const process_end&) const = default;
};

/// Returns `exit code 3` or `signal 9`.
[[nodiscard]] std::string to_string(const process_end& end);

struct launch_limits {
  std::size_t nodes = 1;
  std::size_t restarts = 5;                   ///< of one process in a row
  std::chrono::milliseconds first_delay{500}; ///< doubled with each restart in a row
  std::chrono::milliseconds longest_delay{30'000};
  /// A process that lived for so long did not fail for the reason that it failed for before.
  std::chrono::milliseconds steady_after{60'000};
  std::chrono::milliseconds stop_limit{10'000}; ///< for each, from SIGTERM to SIGKILL
};

// -- effects --------------------------------------------------------------------------------------

struct start_process {
  std::size_t node = 0;
  std::optional<std::size_t> joins; ///< the node that it joins the cluster through, if any runs
  bool operator==(const start_process&) const = default;
};

/// Calls for `timer_expired` after this time. A node has one timer; another start replaces it.
struct start_timer {
  std::size_t node = 0;
  std::chrono::milliseconds delay{0};
  bool operator==(const start_timer&) const = default;
};

/// Asks the process to leave its cluster and end, also if it is stopped.
struct ask_to_end {
  std::size_t node = 0;
  bool operator==(const ask_to_end&) const = default;
};

struct kill_process {
  std::size_t node = 0;
  bool operator==(const kill_process&) const = default;
};

/// A line for the user.
struct say_line {
  std::string text;
  bool operator==(const say_line&) const = default;
};

using launch_effect = std::variant<start_process, start_timer, ask_to_end, kill_process, say_line>;
using launch_effects = std::vector<launch_effect>;

// -- plan -----------------------------------------------------------------------------------------

/// Decides when the processes of a cluster start, start again and end. Knows no process and no
/// clock: events go in, effects come out.
///
/// The life of a node: running → (it crashed) → waiting → running …, and at the end running →
/// ending → (it takes too long) → killed, or at once → over. A process that ends with code 0, or
/// because it was asked to, is over and not started again; so is one that crashed more often than
/// allowed, and that ends all.
/// One that cannot be started again has crashed once more.
///
/// Ending goes from the last node to the first, one at a time: each can hand what others need to
/// those that are still there, and the first has nobody left to hand anything to.
class launch_plan {
public:
  explicit launch_plan(launch_limits limits);

  /// Starts all. The first forms the cluster, the others join it.
  [[nodiscard]] launch_effects begin();

  [[nodiscard]] launch_effects process_ended(std::size_t node, process_end end,
                                             std::chrono::milliseconds lived);

  /// The program cannot be run, for the reason given: that counts as a crash. REQUIRES: the last
  /// effect about this node was to start its process.
  [[nodiscard]] launch_effects start_failed(std::size_t node, const std::string& reason);

  [[nodiscard]] launch_effects timer_expired(std::size_t node);

  /// The first request ends all in order, a second one kills what is left.
  [[nodiscard]] launch_effects stop_requested(int signal);

  [[nodiscard]] bool done() const;

  /// 128 and the signal's number if it was asked to stop; else that of the first process that
  /// failed for good; else 0.
  [[nodiscard]] int exit_code() const;

private:
  enum class phase { running, waiting, ending, killed, over };

  struct node_state {
    phase now = phase::over;
    std::size_t restarts = 0; ///< in a row
  };

  [[nodiscard]] start_process start(std::size_t node);
  void crashed(std::size_t node, int code, const std::string& what, launch_effects& effects);
  void stop_all(launch_effects& effects);
  void end_next(launch_effects& effects);
  [[nodiscard]] std::chrono::milliseconds delay_after(std::size_t restarts) const;

  launch_limits limits_;
  std::vector<node_state> nodes_;
  bool stopping_ = false;
  int stop_signal_ = 0;
  int first_failure_ = 0;
};

} // namespace mobula::command

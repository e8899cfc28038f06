#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "launch_plan.hpp"
#include "line_output.hpp"

namespace mobula::command {

struct child_setup {
  std::vector<std::string> words;     ///< the program, looked up in PATH, and its arguments
  std::vector<std::string> variables; ///< `NAME=VALUE`, beside those of this process
  std::string prefix;                 ///< of each line of its output
};

/// A process that was started here, in a process group of its own, which a Ctrl-C at the terminal
/// so does not reach. It is asked to end when this process dies. Its destructor kills it.
///
/// It has no input, and inherits nothing else from here than its standard output and error, which
/// are pipes, and what this process itself inherited.
class child_process {
public:
  /// Starts a program; its output goes to the sinks. Throws `std::system_error` if that is not
  /// possible. REQUIRES: descriptors 0 to 2 are open.
  child_process(const child_setup& setup, line_sink& output, line_sink& errors);
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;
  ~child_process();

  [[nodiscard]] pid_t id() const {
    return id_;
  }

  [[nodiscard]] std::chrono::milliseconds lived() const;

  /// Sends a signal to the process and those that it started.
  void signal(int number) const;

  /// Returns how the process ended, once; nothing while it runs. Kills what is left of its group.
  [[nodiscard]] std::optional<process_end> take_end();

  prefixed_lines& output() {
    return *output_;
  }

  prefixed_lines& errors() {
    return *errors_;
  }

private:
  pid_t id_ = -1;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::optional<prefixed_lines> output_;
  std::optional<prefixed_lines> errors_;
};

} // namespace mobula::command

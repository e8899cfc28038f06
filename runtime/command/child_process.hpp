#pragma once

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "launch_plan.hpp"

namespace mobula::command {

/// Lines of a pipe, written to a file behind a prefix. What comes without an end of line is held
/// back until it has one, so that lines of several processes do not mix.
class prefixed_lines {
public:
  /// Takes over the pipe's end, which must not block.
  prefixed_lines(int pipe, std::FILE* file, std::string prefix);
  prefixed_lines(const prefixed_lines&) = delete;
  prefixed_lines& operator=(const prefixed_lines&) = delete;
  ~prefixed_lines();

  /// Writes what has come. Closes the pipe if nothing will come any more.
  void read();

  /// Writes what has come, with or without an end of line, and closes the pipe.
  void finish();

  /// The pipe; -1 when it is closed.
  [[nodiscard]] int pipe() const {
    return pipe_;
  }

private:
  void write_lines();
  void close_pipe();

  int pipe_;
  std::FILE* file_;
  std::string prefix_;
  std::string rest_;
};

/// A process that was started here, in a process group of its own, which a Ctrl-C at the terminal
/// so does not reach. It is asked to end when this process dies. Its destructor kills it.
class child_process {
public:
  /// Starts a program (argv[0] of `words`, looked up in PATH) whose output goes to ours, each line
  /// behind the prefix. Throws `std::system_error` if that is not possible.
  child_process(const std::vector<std::string>& words, const std::string& prefix);
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

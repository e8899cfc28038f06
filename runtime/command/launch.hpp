#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace mobula::command {

/// What `mobula launch` was asked for.
struct launch_options {
  std::size_t nodes = 1;
  std::string options_file;
  std::size_t restarts = 5;
  std::size_t restart_delay_ms = 500;
  std::size_t stop_limit_ms = 10'000;
  std::vector<std::string> program; ///< and its arguments
};

/// Runs the program in several processes, as the nodes of one cluster on this host, until all have
/// ended. Returns the exit code of it all, see `launch_plan`. Throws `std::system_error` if the
/// program cannot be started.
[[nodiscard]] int launch(const launch_options& options);

} // namespace mobula::command

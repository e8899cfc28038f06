#pragma once

#include <string>
#include <vector>

namespace mobula::command {

/// Which directories to clean: those that nodes were given as `mobula.arena-dir` and
/// `mobula.spill-dirs`.
struct clean_options {
  std::string arena_directory = "/dev/shm";
  std::vector<std::string> spill_directories;
};

/// Removes what dead nodes left on this host, and says what that was. Asks no node, and touches
/// nothing of one that lives. Returns the exit code: 1 if something could not be removed.
int clean(const clean_options& options);

} // namespace mobula::command

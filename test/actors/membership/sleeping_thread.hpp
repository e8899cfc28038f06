#pragma once

#include <fstream>
#include <iterator>
#include <string>

#include <sys/types.h>

namespace mobula::test {

/// Returns whether a thread of this process, by its number in the system, waits for something.
inline bool is_asleep(pid_t thread) {
  std::ifstream file{"/proc/self/task/" + std::to_string(thread) + "/stat"};
  std::string stat{std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
  return stat.find(") S ") != std::string::npos;
}

} // namespace mobula::test

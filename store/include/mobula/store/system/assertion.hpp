#pragma once

#include <cstdio>
#include <cstdlib>

namespace mobula {

/// Ends the process: an invariant of the store does not hold, so no byte of it can be trusted.
[[noreturn]] inline void assertion_failed(const char* condition, const char* file,
                                          int line) noexcept {
  std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
  std::abort();
}

} // namespace mobula

/// Checked in every build. A macro only because the message names the condition and its place.
#define MOBULA_ASSERT(condition)                       \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::mobula::assertion_failed(#condition, __FILE__, __LINE__))

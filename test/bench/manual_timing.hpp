#pragma once

#include <chrono>

namespace mobula::bench {

/// Returns how long `run` took, in seconds; for sides with `timing::manual`.
template <class F>
double seconds_of(F run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

} // namespace mobula::bench

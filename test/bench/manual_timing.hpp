#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

#include <benchmark/benchmark.h>

#include "comparison.hpp"

namespace mobula::bench {

/// Returns how long `run` took, in seconds; for sides with `timing::manual`.
template <class F>
double seconds_of(F run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Reports the median of an operation's times, in microseconds, where a mean would mostly tell how
/// often the operating system ran something else.
class median_timing {
public:
  explicit median_timing(benchmark::State& state) : state_(state) {
    // nop
  }

  median_timing(const median_timing&) = delete;
  median_timing& operator=(const median_timing&) = delete;

  ~median_timing() {
    if (times_.empty())
      return;
    auto middle = times_.begin() + static_cast<std::ptrdiff_t>(times_.size() / 2);
    std::ranges::nth_element(times_, middle);
    state_.counters[measured_counter] = *middle * 1e6;
  }

  void add(double seconds) {
    times_.push_back(seconds);
    state_.SetIterationTime(seconds);
  }

private:
  benchmark::State& state_;
  std::vector<double> times_;
};

} // namespace mobula::bench

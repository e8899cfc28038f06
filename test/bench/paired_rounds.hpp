#pragma once

#include "comparison.hpp"

namespace mobula::bench {

/// How long a comparison is measured.
struct round_plan {
  int rounds = 5;

  /// Time that each side runs for at least, in each round.
  double seconds = 0.2;
};

/// Runs both sides of `subject` through Google Benchmark.
///
/// Idea: machines drift (other tenants, clock rates, heat), by more than many a budget allows. So
/// case and baseline take turns, one repetition each, and only neighbours are divided: drift hits
/// both alike. The median over rounds then drops the rounds in which something hit only one side.
/// Google Benchmark's own random interleaving shuffles repetitions over all that is registered,
/// which makes no neighbours; hence each turn is a run of its own.
///
/// Throws `std::runtime_error` if a side reports an error.
result run_rounds(const comparison& subject, const round_plan& plan);

} // namespace mobula::bench

// Runs a case and its baseline in turns, so that a machine that drifts is as slow for the one as
// for the other; paired_rounds.hpp says why.

#include "paired_rounds.hpp"

#include <stdexcept>
#include <vector>

namespace mobula::bench {

namespace {

constexpr auto measured_name = "measured";
constexpr auto reference_name = "reference";

/// Keeps the last run that Google Benchmark reports and prints nothing.
class run_keeper : public benchmark::BenchmarkReporter {
public:
  bool ReportContext(const Context&) override {
    return true;
  }

  void ReportRuns(const std::vector<Run>& runs) override {
    last_ = runs.back();
  }

  [[nodiscard]] const Run& last() const noexcept {
    return last_;
  }

private:
  Run last_;
};

double in_unit(const comparison& subject, double seconds) {
  switch (subject.unit) {
    case unit::nanoseconds:
      return seconds * 1e9;
    case unit::microseconds:
      return seconds * 1e6;
    case unit::milliseconds:
      return seconds * 1e3;
    case unit::gigabytes_per_second:
      return static_cast<double>(subject.bytes) / seconds / 1e9;
    case unit::bytes:
    case unit::per_second:
    case unit::messages:
      break;
  }
  throw std::logic_error(subject.name + " reports no " + measured_counter);
}

/// Google Benchmark knows the sides of one comparison at a time, so that what they keep between
/// rounds goes with it.
class registration {
public:
  registration(const comparison& subject, const round_plan& plan) {
    add(measured_name, subject.measured, subject, plan);
    add(reference_name, subject.reference, subject, plan);
  }

  registration(const registration&) = delete;
  registration& operator=(const registration&) = delete;

  ~registration() {
    benchmark::ClearRegisteredBenchmarks();
  }

private:
  static void add(const char* name, const side& run, const comparison& subject,
                  const round_plan& plan) {
    auto* added = benchmark::RegisterBenchmark(name, run);
    added->Unit(benchmark::kSecond)->Threads(subject.threads);
    if (subject.iterations > 0)
      added->Iterations(subject.iterations);
    else
      added->MinTime(plan.seconds);
    if (subject.timing == timing::manual)
      added->UseManualTime();
    else
      added->UseRealTime();
  }
};

double run_once(const comparison& subject, const char* side_name) {
  run_keeper keeper;
  benchmark::RunSpecifiedBenchmarks(&keeper, std::string{"^"} + side_name);
  const auto& run = keeper.last();
  if (run.error_occurred)
    throw std::runtime_error(subject.name + ": " + run.error_message);
  if (auto found = run.counters.find(measured_counter); found != run.counters.end())
    return found->second.value;
  return in_unit(subject, run.GetAdjustedRealTime());
}

} // namespace

result run_rounds(const comparison& subject, const round_plan& plan) {
  const registration registered{subject, plan};
  std::vector<double> values;
  std::vector<double> baseline_values;
  for (int round = 0; round < plan.rounds; ++round) {
    values.push_back(run_once(subject, measured_name));
    baseline_values.push_back(run_once(subject, reference_name));
  }
  return summarize(std::move(values), std::move(baseline_values));
}

} // namespace mobula::bench

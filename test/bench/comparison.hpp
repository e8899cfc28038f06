#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

namespace mobula::bench {

/// What a comparison's numbers count.
enum class unit : std::uint8_t {
  nanoseconds,
  microseconds,
  milliseconds,
  gigabytes_per_second,
  bytes,
  per_second,
  messages,
};

/// Returns the symbol of `value`, such as `ns`.
std::string_view to_string(unit value) noexcept;

/// What must hold of a comparison's result.
struct budget {
  enum class subject : std::uint8_t { value, ratio };
  enum class bound : std::uint8_t { below, at_most, at_least };

  subject of;
  bound is;
  double limit;

  [[nodiscard]] bool holds(double value, double ratio) const noexcept;

  /// Returns, for example, `ratio <= 3`.
  friend std::string to_string(const budget& limit);
};

/// One side of a comparison: a Google Benchmark function. Reports another quantity than time by
/// setting the counter `measured`.
using side = std::function<void(benchmark::State&)>;

/// Name of the counter for what is not a time.
inline constexpr auto measured_counter = "measured";

/// Whose clock a side runs by: Google Benchmark's, or its own (`State::SetIterationTime`), which
/// leaves out what the side does between measurements.
enum class timing : std::uint8_t { whole, manual };

/// A case and the baseline that it stands next to: something well known that the same machine does
/// at the same time.
struct comparison {
  std::string name;
  bench::unit unit = unit::nanoseconds;
  side measured;

  /// What the baseline does, in words.
  std::string baseline = {};
  side reference = {};

  std::optional<bench::budget> budget = std::nullopt;

  /// Bytes that one iteration moves. REQUIRES: set if the unit is a throughput.
  std::uint64_t bytes = 0;

  /// Threads that run each side. A time is then that of all threads together, divided by what all
  /// of them did.
  int threads = 1;

  bench::timing timing = timing::whole;

  /// How often each side runs in a round; 0: as often as the round's time allows. Set where what is
  /// not measured takes far longer than what is.
  std::int64_t iterations = 0;

  /// Says why this machine cannot run the case right now, if so. Not called if it is not set.
  std::function<std::optional<std::string>()> obstacle = {};
};

/// Medians over all rounds. `ratio` is the median of each round's own ratio, so it need not be
/// exactly the quotient of the other two.
struct result {
  double value = 0;
  double baseline_value = 0;
  double ratio = 0;

  /// Smallest and largest ratio of a round.
  double lowest_ratio = 0;
  double highest_ratio = 0;
};

/// Sums up rounds, of which each has one value and the baseline's beside it. REQUIRES: as many of
/// both, and at least one.
[[nodiscard]] result summarize(std::vector<double> values, std::vector<double> baseline_values);

} // namespace mobula::bench

// Whether a case keeps to its budget, and the words for that.

#include "comparison.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace mobula::bench {

namespace {

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

} // namespace

std::string_view to_string(unit value) noexcept {
  switch (value) {
    case unit::nanoseconds:
      return "ns";
    case unit::microseconds:
      return "us";
    case unit::milliseconds:
      return "ms";
    case unit::gigabytes_per_second:
      return "GB/s";
    case unit::bytes:
      return "B";
    case unit::per_second:
      return "/s";
    case unit::messages:
      return "msg";
  }
  return "?";
}

bool budget::holds(double value, double ratio) const noexcept {
  const auto actual = of == subject::value ? value : ratio;
  switch (is) {
    case bound::below:
      return actual < limit;
    case bound::at_most:
      return actual <= limit;
    case bound::at_least:
      return actual >= limit;
  }
  return false;
}

std::string to_string(const budget& limit) {
  const auto* subject = limit.of == budget::subject::value ? "value" : "ratio";
  const auto* bound = limit.is == budget::bound::below     ? "<"
                      : limit.is == budget::bound::at_most ? "<="
                                                           : ">=";
  return fmt::format("{} {} {:g}", subject, bound, limit.limit);
}

result summarize(std::vector<double> values, std::vector<double> baseline_values) {
  std::vector<double> ratios;
  for (std::size_t round = 0; round < values.size(); ++round)
    // What is equal is so at zero, too.
    ratios.push_back(
      values[round] == baseline_values[round] ? 1 : values[round] / baseline_values[round]);
  const auto [lowest, highest] = std::ranges::minmax(ratios);
  return {.value = median(std::move(values)),
          .baseline_value = median(std::move(baseline_values)),
          .ratio = median(ratios),
          .lowest_ratio = lowest,
          .highest_ratio = highest};
}

} // namespace mobula::bench

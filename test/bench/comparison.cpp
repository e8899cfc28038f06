#include "comparison.hpp"

#include <fmt/format.h>

namespace mobula::bench {

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

} // namespace mobula::bench

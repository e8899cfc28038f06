#pragma once

#include <chrono>
#include <cstdint>
#include <ratio>
#include <type_traits>

namespace mobula {

/// A length of time that a user gives: a `std::chrono::nanoseconds` that any duration turns into
/// without overflow. What is longer than it can say is the longest there is, which stands for "as
/// long as it takes", and the same holds below zero; `std::chrono` alone would turn `hours::max()`
/// into one hour less than nothing.
struct time_span : std::chrono::nanoseconds {
  constexpr time_span() noexcept : duration(0) {
    // nop
  }

  template <class Count, class Period>
  constexpr time_span(const std::chrono::duration<Count, Period>& span) noexcept
    : duration(saturated(span)) {
    // nop
  }

private:
  template <class Count, class Period>
  static constexpr std::chrono::nanoseconds
  saturated(const std::chrono::duration<Count, Period>& span) noexcept {
    if constexpr (std::is_floating_point_v<Count>) {
      using exact = std::chrono::duration<long double, std::nano>;
      auto count = std::chrono::duration_cast<exact>(span).count();
      // What is no number is no length of time either.
      if (!(count > static_cast<long double>(std::chrono::nanoseconds::min().count())))
        return std::chrono::nanoseconds::min();
      if (count >= static_cast<long double>(std::chrono::nanoseconds::max().count()))
        return std::chrono::nanoseconds::max();
      return std::chrono::nanoseconds{static_cast<std::chrono::nanoseconds::rep>(count)};
    } else {
      using wide = std::chrono::duration<std::int64_t, Period>;
      if constexpr (std::is_unsigned_v<Count>)
        if (span.count() > static_cast<std::uint64_t>(wide::max().count()))
          return std::chrono::nanoseconds::max();
      wide same{static_cast<std::int64_t>(span.count())};
      if constexpr (std::ratio_greater_v<Period, std::nano>) {
        // Rounded towards zero: all up to the bounds can be said.
        constexpr auto most = std::chrono::duration_cast<wide>(std::chrono::nanoseconds::max());
        if (same > most)
          return std::chrono::nanoseconds::max();
        if (same < -most)
          return std::chrono::nanoseconds::min();
      }
      return std::chrono::duration_cast<std::chrono::nanoseconds>(same);
    }
  }
};

} // namespace mobula

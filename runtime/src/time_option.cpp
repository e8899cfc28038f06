// A command-line option that is a time in any unit from ns to h. One that is longer than
// nanoseconds can say is as long as it takes.

#include "mobula/runtime/time_option.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <limits>

#include <caf/config_value.hpp>
#include <caf/expected.hpp>
#include <caf/pec.hpp>
#include <caf/timespan.hpp>

namespace mobula::internal {

namespace {

struct unit {
  std::string_view name;
  std::int64_t nanoseconds;
};

constexpr unit units[] = {
  {"ns", 1},
  {"us", 1'000},
  {"ms", 1'000'000},
  {"s", 1'000'000'000},
  {"min", 60'000'000'000},
  {"h", 3'600'000'000'000},
};

caf::error check(const caf::config_value& value) {
  if (caf::holds_alternative<caf::timespan>(value))
    return caf::none;
  return make_error(caf::pec::type_mismatch);
}

void store(void* target, const caf::config_value& value) {
  *static_cast<caf::timespan*>(target) = caf::get<caf::timespan>(value);
}

caf::config_value get(const void* target) {
  return caf::config_value{*static_cast<const caf::timespan*>(target)};
}

caf::expected<caf::config_value> parse(void* target, caf::string_view given) {
  std::string_view text{given.data(), given.size()};
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::invalid_argument)
    return make_error(caf::pec::unexpected_character);
  auto name = text.substr(static_cast<std::size_t>(end - text.data()));
  auto known = std::ranges::find(units, name, &unit::name);
  if (known == std::ranges::end(units))
    return make_error(name.empty() ? caf::pec::unexpected_eof : caf::pec::unexpected_character);
  auto result = text.front() == '-' ? caf::timespan::min() : caf::timespan::max();
  // The lowest number has no counterpart; it is beyond the range anyway.
  if (error == std::errc{} && number != std::numeric_limits<std::int64_t>::min()
      && std::abs(number) <= caf::timespan::max().count() / known->nanoseconds)
    result = caf::timespan{number * known->nanoseconds};
  if (target != nullptr)
    *static_cast<caf::timespan*>(target) = result;
  return caf::config_value{result};
}

caf::string_view text_of(std::string_view text) {
  return {text.data(), text.size()};
}

} // namespace

caf::config_option time_option(std::string_view name, std::string_view description) {
  static const caf::config_option::meta_state meta{check, store, get, parse, "timespan"};
  return {"mobula", text_of(name), text_of(description), &meta};
}

} // namespace mobula::internal

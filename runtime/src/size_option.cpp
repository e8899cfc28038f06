// A command-line option that is a number of bytes with or without a unit. Files have no quotes
// around plain numbers as a rule, so that these are taken as well as texts.

#include "mobula/runtime/size_option.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include <caf/config_value.hpp>
#include <caf/expected.hpp>
#include <caf/make_config_option.hpp>
#include <caf/pec.hpp>
#include <fmt/format.h>

#include "mobula/runtime/option_words.hpp"
#include "mobula/serialization/error.hpp"

namespace mobula::internal {

namespace {

struct unit {
  std::string_view name;
  double bytes;
};

constexpr unit units[] = {
  {"", 1},
  {"B", 1},
  {"kB", 1e3},
  {"KB", 1e3},
  {"MB", 1e6},
  {"GB", 1e9},
  {"TB", 1e12},
  {"KiB", 1024.0},
  {"MiB", 1048576.0},
  {"GiB", 1073741824.0},
  {"K", 1024},
  {"M", 1048576},
  {"G", 1073741824.0},
  {"TiB", 1099511627776.0},
};

caf::error check(const caf::config_value& value) {
  if (caf::holds_alternative<std::string>(value))
    return caf::none;
  if (caf::holds_alternative<std::int64_t>(value) && caf::get<std::int64_t>(value) >= 0)
    return caf::none;
  return make_error(caf::pec::type_mismatch);
}

/// REQUIRES: the option has a place for its value. Those of the group have none.
void store(void* target, const caf::config_value& value) {
  *static_cast<std::string*>(target) = caf::holds_alternative<std::string>(value)
                                         ? caf::get<std::string>(value)
                                         : fmt::to_string(caf::get<std::int64_t>(value));
}

caf::config_value get(const void* target) {
  return caf::config_value{*static_cast<const std::string*>(target)};
}

caf::expected<caf::config_value> parse(void* target, caf::string_view given) {
  static const auto text = caf::make_config_option<std::string>("mobula", "size", "");
  auto result = text.parse(given);
  if (result && target != nullptr)
    store(target, *result);
  return result;
}

caf::string_view text_of(std::string_view text) {
  return {text.data(), text.size()};
}

} // namespace

caf::config_option size_option(std::string_view name, std::string_view description) {
  static const caf::config_option::meta_state meta{check, store, get, parse,
                                                   std::string{size_type}};
  return {"mobula", text_of(name), text_of(description), &meta};
}

std::uint64_t read_size(std::string_view option, std::string_view text) {
  double number = 0;
  const auto* end = text.data() + text.size();
  auto [position, error] = std::from_chars(text.data(), end, number);
  auto name = text.substr(static_cast<std::size_t>(position - text.data()));
  while (!name.empty() && name.front() == ' ')
    name.remove_prefix(1);
  for (const auto& known : units) {
    if (known.name != name || error != std::errc{})
      continue;
    auto bytes = number * known.bytes;
    if (!(bytes >= 0) || bytes > static_cast<double>(std::numeric_limits<std::int64_t>::max() / 2))
      break;
    return static_cast<std::uint64_t>(std::llround(bytes));
  }
  throw object_error{{.type = error_type::invalid_argument,
                      .message = fmt::format("option mobula.{} is \"{}\", but must be {}", option,
                                             text, size_words)}};
}

} // namespace mobula::internal

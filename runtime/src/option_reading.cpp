// Reads a node's options from a configuration, each with its name at hand for what is wrong with
// it.

#include "mobula/runtime/option_reading.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "mobula/actors/caf/caf_options.hpp"
#include "mobula/runtime/endpoint_option.hpp"
#include "mobula/runtime/option_ranges.hpp"
#include "mobula/runtime/option_words.hpp"
#include "mobula/runtime/size_option.hpp"
#include "mobula/runtime/time_option.hpp"
#include "mobula/serialization/error.hpp"

namespace mobula::internal {

namespace {

[[noreturn]] void refuse(std::string_view option, std::string_view value, std::string_view range) {
  throw object_error{
    {.type = error_type::invalid_argument,
     .message = fmt::format("option mobula.{} is {}, but must be {}", option, value, range)}};
}

/// A value that users write as a word.
template <class T>
struct named_choice {
  std::string_view name;
  T value;
};

constexpr named_choice<reading_in_place> reading_choices[] = {
  {"auto", reading_in_place::automatic},
  {"off", reading_in_place::off},
};

constexpr named_choice<compression_mode> compression_choices[] = {
  {"auto", compression_mode::automatic},
  {"on", compression_mode::on},
  {"off", compression_mode::off},
};

/// Reads numbers from a configuration, with their option's name at hand for errors.
class reader {
public:
  explicit reader(const caf::actor_system_config& config) : config_(config) {
    // nop
  }

  void size(std::string_view option, std::uint64_t& target) const {
    if (auto text = caf::get_if<std::string>(&config_, key(option)))
      target = read_size(option, *text);
    else if (auto value = require_kind<std::int64_t>(option, size_words))
      target = unsigned_or_refuse<std::uint64_t>(option, *value);
  }

  void size(std::string_view option, std::optional<std::uint64_t>& target) const {
    if (!given(option))
      return;
    target = 0;
    size(option, *target);
  }

  template <class T>
  void number(std::string_view option, T& target) const {
    if (auto value = require_kind<std::int64_t>(option, "a whole number"))
      target = unsigned_or_refuse<T>(option, *value);
  }

  void value(std::string_view option, std::string& target) const {
    take(option, "a text", target);
  }

  void value(std::string_view option, std::vector<std::string>& target) const {
    take(option, "a list of texts", target);
  }

  void value(std::string_view option, std::chrono::nanoseconds& target) const {
    take(option, time_words, target);
  }

  /// Those of a node's network are not the node's own, but checked with them.
  void address(std::string_view option) const {
    if (auto text = require_kind<std::string>(option, "ADDRESS:PORT, such as 127.0.0.1:4242"))
      static_cast<void>(parse_endpoint(key(option), *text));
  }

  template <class T, std::size_t Count>
  void choice(std::string_view option, const named_choice<T> (&choices)[Count], T& target) const {
    std::string names;
    for (const auto& each : choices)
      names += fmt::format("{}{}", names.empty() ? "" : " or ", each.name);
    auto text = require_kind<std::string>(option, names);
    if (!text)
      return;
    auto chosen = std::ranges::find(choices, *text, &named_choice<T>::name);
    if (chosen == std::ranges::end(choices))
      refuse(option, fmt::format("\"{}\"", *text), names);
    target = chosen->value;
  }

  void choice(std::string_view option, listening_scope& target) const {
    if (auto known = require_kind<bool>(option, "true or false"))
      target = *known ? listening_scope::any : listening_scope::loopback;
  }

  void choice(std::string_view option, call_site_recording& target) const {
    if (auto known = require_kind<bool>(option, "true or false"))
      target = *known ? call_site_recording::on : call_site_recording::off;
  }

private:
  [[nodiscard]] const caf::config_value* given(std::string_view option) const {
    return caf::get_if(&content(config_), key(option));
  }

  /// Returns the value, if there is one. A configuration takes any type from `set`: what is of
  /// another would otherwise be passed over in silence.
  template <class T>
  [[nodiscard]] caf::optional<T> require_kind(std::string_view option,
                                              std::string_view range) const {
    auto result = caf::get_if<T>(&config_, key(option));
    if (auto* other = given(option); other != nullptr && !result)
      refuse(option, to_string(*other), range);
    return result;
  }

  template <class T>
  void take(std::string_view option, std::string_view range, T& target) const {
    if (auto known = require_kind<T>(option, range))
      target = *std::move(known);
  }

  template <class T>
  [[nodiscard]] static T unsigned_or_refuse(std::string_view option, std::int64_t value) {
    if (value < 0 || static_cast<std::uint64_t>(value) > std::numeric_limits<T>::max())
      refuse(option, fmt::to_string(value),
             fmt::format("from 0 to {}", std::numeric_limits<T>::max()));
    return static_cast<T>(value);
  }

  static std::string key(std::string_view option) {
    return fmt::format("mobula.{}", option);
  }

  const caf::actor_system_config& config_;
};

} // namespace

std::chrono::nanoseconds stop_limit_of(const caf::actor_system_config& config) {
  std::chrono::nanoseconds result = std::chrono::seconds{10};
  reader{config}.value("stop-limit", result);
  if (result.count() < 0)
    refuse("stop-limit", show_time(result), "at least 0s");
  return result;
}

node_options node_options_of(const caf::actor_system_config& config) {
  static_cast<void>(stop_limit_of(config));
  node_options options;
  reader from{config};
  from.size("inline-limit", options.inline_limit_bytes);
  from.size("heap-limit", options.heap_limit_bytes);
  from.size("store-size", options.store_size_bytes);
  from.value("arena-dir", options.arena_directory);
  from.size("prefault", options.prefault_bytes);
  from.number("shards", options.shards);
  from.value("spill-dirs", options.spill_directories);
  from.size("spill-limit", options.spill_limit_bytes);
  from.size("spill-file-size", options.spill_file_bytes);
  from.number("spill-threshold", options.spill_threshold_percent);
  from.number("spill-workers", options.spill_workers);
  from.size("credit", options.lent_bytes);
  from.value("full-timeout", options.full_timeout);
  from.value("transit-lease", options.transit_lease);
  from.value("grace-period", options.grace_period);
  from.value("drain", options.drain_timeout);
  from.choice("same-host-reading", reading_choices, options.same_host_reading);
  from.size("piggyback", options.piggyback_bytes);
  from.size("message-limit", options.message_limit_bytes);
  from.choice("compression", compression_choices, options.compression);
  from.choice("record-call-sites", options.call_sites);
  from.number("seed", options.seed);
  from.value("cluster", options.cluster);
  from.value("name", options.name);
  from.choice("insecure", options.listening);
  from.value("advertise", options.advertise);
  from.number("data-port", options.data_port);
  for (std::string_view option : {"listen", "join"})
    from.address(option);
  require_good_values(options);
  return options;
}

} // namespace mobula::internal

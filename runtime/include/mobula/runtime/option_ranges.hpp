#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "mobula/actors/node/node_options.hpp"

/// Which values the options of a node may have, in one place for all ways that they come: command
/// line, configuration file, `config::set`, or a `node_options` of the caller's.

namespace mobula::internal {

/// An option that is a number, and its range, both ends included.
struct number_range {
  enum class unit : std::uint8_t { count, bytes, percent };

  std::string_view name; ///< as a configuration has it, or the member's where it has none
  std::uint64_t (*value)(const node_options&);
  std::uint64_t least;
  std::uint64_t greatest;
  unit in;
  std::string_view advice; ///< what to do about one out of range

  /// Whether 0 is good as well, since it means something of its own.
  bool zero_is_special = false;
};

/// An option that is a time. There is no longest: the greatest that can be written means "as long
/// as possible".
struct time_range {
  std::string_view name;
  time_span node_options::*value;
  std::chrono::nanoseconds least;
  std::string_view advice;
};

[[nodiscard]] std::span<const number_range> number_ranges() noexcept;
[[nodiscard]] std::span<const time_range> time_ranges() noexcept;

/// Returns where a directory is, in whichever way it is written: an absolute path, without symbolic
/// links as far as it exists.
[[nodiscard]] std::string place_of_directory(const std::string& written);

/// Returns, for example, `64KiB`, or `1000 bytes` for what is no multiple of a unit.
[[nodiscard]] std::string show_bytes(std::uint64_t bytes);

/// Returns, for example, `5s`, `20ms` or `1500ns`.
[[nodiscard]] std::string show_time(std::chrono::nanoseconds time);

/// Throws `object_error` (`invalid_argument`) for the first option that has a bad value, naming it,
/// the value and the allowed range. What `mobula::require_valid` does.
void require_good_values(const node_options& options);

/// Throws `object_error` (`invalid_argument`) unless the grace period is longer than the silence
/// after which other nodes count as dead. For nodes that join others.
void require_valid_times(const node_options& options, std::chrono::nanoseconds heartbeat_timeout);

} // namespace mobula::internal

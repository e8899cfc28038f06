#pragma once

#include <string>
#include <string_view>

#include <caf/fwd.hpp>

#include "mobula/actors/caf/caf_version.hpp"

/// Options of CAF's own that this library sets or reads, and their values.

namespace mobula::caf_options {

inline constexpr char scheduler_policy[] = "scheduler.policy";
inline constexpr char scheduler_threads[] = "scheduler.max-threads";
inline constexpr char heartbeat_interval[] = "middleman.heartbeat-interval";
inline constexpr char connection_timeout[] = "middleman.connection-timeout";
inline constexpr char log_file[] = "logger.file-name";
inline constexpr char log_verbosity[] = "logger.verbosity";

/// Options with which CAF does nothing, or divides by zero, if they are 0.
inline constexpr const char* never_zero[] = {
  scheduler_threads,
  "scheduler.max-throughput",
  "work-stealing.aggressive-steal-interval",
  "work-stealing.moderate-steal-interval",
  "work-stealing.relaxed-steal-interval",
};

/// Returns the value of an option that is one of a few words, such as a policy: at most ten
/// lower-case letters.
[[nodiscard]] caf::config_value word(std::string_view text);

/// Returns the word that such an option has; empty if it has none.
[[nodiscard]] std::string word_of(const caf::actor_system_config& config, const char* option);

} // namespace mobula::caf_options

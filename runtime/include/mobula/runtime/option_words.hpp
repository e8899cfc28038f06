#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <caf/config_option_set.hpp>
#include <caf/settings.hpp>

/// What users write to choose options, on a command line or in a file, and what they are told about
/// it; of files, option_file.hpp says more.

namespace mobula::internal {

/// What else may stand where a size or a time is asked for, for errors.
inline constexpr std::string_view size_words =
  "a number of bytes with an optional unit, such as 64MiB: B, kB, MB, GB, TB (1 MB is 1,000,000 "
  "bytes), KiB, MiB, GiB, TiB (1 MiB is 1,048,576), or K, M, G for the latter";
inline constexpr std::string_view time_words =
  "a time with a unit, such as 5s: a whole number and ns, us, ms, s, min or h";

/// What CAF and its help text call the type of options that are sizes.
inline constexpr std::string_view size_type = "size";

/// Returns what a value of this option's type looks like.
[[nodiscard]] std::string range_of(const caf::config_option& option);

/// Returns what is wrong with the first word of a command line that CAF cannot read, as a sentence
/// that names the word and what was probably meant; nothing if all can be read.
[[nodiscard]] std::optional<std::string> explain_words(const caf::config_option_set& options,
                                                       const std::vector<std::string>& words);

/// Returns whether one of the words that CAF takes for options is `--name`, without a value.
[[nodiscard]] bool has_flag(const caf::config_option_set& options,
                            const std::vector<std::string>& words, std::string_view name);

/// What a command line says, as CAF takes it.
struct flag_words {
  /// All, but those that turn a flag off and those before that turn it on; flags without values.
  std::vector<std::string> words;

  /// The flags that are to be off: the last word on each of them is `--name=false`. They are the
  /// set's own.
  std::vector<const caf::config_option*> off;
};

/// Makes `--name` of `--name=true`, and takes `--name=false` away: CAF gives flags no values, but
/// files do, and nobody should have to know. Any other value is left, for CAF to refuse.
[[nodiscard]] flag_words take_flag_values(const caf::config_option_set& options,
                                          std::vector<std::string> words);

/// As CAF turns a flag on. A configuration's `set` does not find those of the group "global", which
/// are the application's.
void turn_off(caf::settings& content, const caf::config_option& flag);

/// Returns what `--help` prints: the options of the group "global", which are CAF's and the
/// application's, and those of Mobula, a line for each.
[[nodiscard]] std::string help_of(const caf::config_option_set& options);

} // namespace mobula::internal

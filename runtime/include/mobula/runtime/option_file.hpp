#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <caf/config_option_set.hpp>
#include <caf/settings.hpp>

/// The configuration file: read once, since it may be a pipe, and looked through before CAF does,
/// which drops a value of another type than its option's without a word.

namespace mobula::internal {

struct option_file {
  std::string path;
  std::string text; ///< empty if there is no such file

  /// Why a file that the command line names cannot be read. That any other is missing is all right.
  std::optional<std::string> failure = std::nullopt;
};

/// Reads the file that a command line names with `--config-file`, or `otherwise` if it names none.
[[nodiscard]] option_file read_option_file(const std::vector<std::string>& words,
                                           const std::string& otherwise);

/// Returns what is wrong with a file that cannot be read, at all or as one of options, or in which
/// an option, whoever declared it, has a value of another kind than its own; with file and line.
[[nodiscard]] std::optional<std::string> explain_file(const caf::config_option_set& options,
                                                      const option_file& file);

/// Returns what is wrong with a configuration whose group `mobula` has a key that is no option, or
/// that has a group which was probably meant to be `mobula`; nothing if all is well. Names the line
/// of `file` that has the key, if one has.
[[nodiscard]] std::optional<std::string> explain_keys(const caf::config_option_set& options,
                                                      const caf::settings& content,
                                                      const option_file& file);

} // namespace mobula::internal

#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "clean.hpp"
#include "launch.hpp"
#include "memory_options.hpp"

/// The words that the command takes, described once: what parses them, the help text, the manual
/// page and the shell's completion are all made from this description.

namespace mobula::command {

/// What a user asked for.
struct arguments {
  std::string node;
  bool json = false;
  memory_options memory;
  std::string id;
  launch_options launch;
  clean_options clean;
};

enum exit_code {
  exit_complete = 0,
  exit_not_there = 1,
  exit_bad_arguments = 2,
  exit_incomplete = 3,
};

struct exit_meaning {
  exit_code code;
  std::string_view meaning;
};

inline constexpr std::array exit_meanings{
  exit_meaning{exit_complete, "all went well: all nodes answered"},
  exit_meaning{exit_not_there,
               "the node or the object is not there, or something could not be removed"},
  exit_meaning{exit_bad_arguments, "the arguments are wrong"},
  exit_meaning{exit_incomplete,
               "members of the cluster did not answer; what the others said is shown"},
};

/// Declares commands and options; parsing writes to `chosen`.
void describe(CLI::App& app, arguments& chosen);

/// Parses the words behind the command's own name. Throws as CLI11 does. What a program to launch
/// is given behind `--` reaches `chosen` as it is: CLI11 would take `[a,b]` for two values.
void parse(CLI::App& app, arguments& chosen, std::vector<std::string> words);

/// Returns the long names of a command's options, with dashes.
[[nodiscard]] std::vector<std::string> option_names(const CLI::App& command);

[[nodiscard]] std::vector<std::string> command_names(const CLI::App& app);

/// Returns what is wrong with the arguments that could not be parsed, as one sentence that names
/// the word and what was probably meant.
[[nodiscard]] std::string usage_error(const CLI::App& app, const CLI::ParseError& error);

} // namespace mobula::command

// Reads the configuration file, and explains what CAF says of it with a code, or not at all.

#include "mobula/runtime/option_file.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <system_error>

#include <caf/actor_system_config.hpp>
#include <caf/config_value.hpp>
#include <caf/expected.hpp>
#include <caf/pec.hpp>
#include <caf/settings.hpp>
#include <fmt/format.h>

#include "mobula/runtime/nearest_word.hpp"
#include "mobula/runtime/option_words.hpp"

namespace mobula::internal {

namespace {

/// Longer ones say no more about what is wrong.
constexpr std::size_t max_shown_bytes = 100;

std::string_view view_of(caf::string_view text) {
  return {text.data(), text.size()};
}

std::string cut(std::string text) {
  if (text.size() <= max_shown_bytes)
    return text;
  text.resize(max_shown_bytes);
  return text + "…";
}

/// As code and files name it: those of the group "global" stand before all groups.
std::string name_in_file(const caf::config_option& option) {
  auto group = view_of(option.category());
  auto name = view_of(option.long_name());
  return group == "global" ? std::string{name} : fmt::format("{}.{}", group, name);
}

/// Returns whether a line begins with a word, whatever the form in which files name things.
bool begins_with(std::string_view line, std::string_view word) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t\"[{,"), line.size()));
  return line.starts_with(word)
         && (line.size() == word.size()
             || std::string_view{" \t\"=:.{]"}.find(line[word.size()]) != std::string_view::npos);
}

/// Returns the group that a line such as `[mobula]` begins.
std::string group_of(const std::string& line) {
  auto begin = std::min(line.find_first_not_of("[ \t"), line.size());
  return line.substr(begin, line.find_first_of(" \t]", begin) - begin);
}

/// Returns `file:line: ` of the first line that begins with one of the words, in the named group or
/// in any; nothing if there is none.
std::string place_of(const option_file& file, const std::vector<std::string>& words,
                     std::optional<std::string_view> wanted_group = std::nullopt) {
  std::istringstream lines{file.text};
  std::string group = "global";
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    auto is_heading = line.starts_with('[');
    if (is_heading)
      group = group_of(line);
    if (wanted_group && (is_heading || group != *wanted_group))
      continue;
    if (std::ranges::any_of(words, [&](const auto& word) { return begins_with(line, word); }))
      return fmt::format("{}:{}: ", file.path, number);
  }
  return {};
}

/// Returns where an option is set.
std::string place_of(const option_file& file, const caf::config_option& option) {
  auto place =
    place_of(file, {std::string{view_of(option.long_name())}}, view_of(option.category()));
  return place.empty() ? fmt::format("{}: ", file.path) : place;
}

/// Returns what a value of this type looks like in a file.
std::string range_in_file(const caf::config_option& option) {
  auto type = view_of(option.type_name());
  if (type == size_type)
    return fmt::format("{}; in quotes if it has a unit", size_words);
  if (type == "string")
    return "a text in quotes";
  if (type == "atom")
    return "a word in single quotes";
  auto list =
    type.find("vector") != std::string_view::npos || type.find("list") != std::string_view::npos;
  return list ? range_of(option) : fmt::format("{}, without quotes", range_of(option));
}

std::string explain_syntax(const option_file& file, const caf::error& failure) {
  auto place = file.path;
  if (failure.context().match_elements<caf::config_value::dictionary>()) {
    const auto& where = failure.context().get_as<caf::config_value::dictionary>(0);
    for (const std::string part : {"line", "column"})
      if (auto number = caf::get_if<std::int64_t>(&where, part))
        place += fmt::format(":{}", *number);
  }
  auto code = to_string(static_cast<caf::pec>(failure.code()));
  std::ranges::replace(code, '_', ' ');
  return fmt::format("{}: this cannot be read ({}); a file has lines such as [mobula], shards=2, "
                     "full-timeout=5s and store-size=\"64MiB\", and comments that begin with ;",
                     place, code);
}

} // namespace

option_file read_option_file(const std::vector<std::string>& words, const std::string& otherwise) {
  constexpr std::string_view option = "--config-file=";
  option_file result{otherwise, {}};
  auto is_named = false;
  for (const auto& word : words) {
    if (word == "--")
      break;
    if (word.starts_with(option) && word.size() > option.size()) {
      result.path = word.substr(option.size());
      is_named = true;
    }
  }
  std::error_code error;
  std::ifstream file;
  if (std::filesystem::is_directory(result.path, error))
    error = std::make_error_code(std::errc::is_a_directory);
  else if (file.open(result.path, std::ios::binary); !file.is_open())
    error = {errno, std::generic_category()};
  if (file.is_open())
    result.text.assign(std::istreambuf_iterator<char>{file}, {});
  else if (is_named)
    result.failure = fmt::format("option config-file names {}, which cannot be read: {}; name a "
                                 "file of options, or leave the option out",
                                 result.path, error.message());
  return result;
}

std::optional<std::string> explain_file(const caf::config_option_set& options,
                                        const option_file& file) {
  if (file.failure)
    return file.failure;
  std::istringstream text{file.text};
  // Knows of no options, so that it keeps whatever it finds.
  auto found = caf::actor_system_config::parse_config(text);
  if (!found)
    return explain_syntax(file, found.error());
  const caf::settings& content = *found;
  for (const auto& option : options) {
    auto name = name_in_file(option);
    if (const auto* value = caf::get_if(&content, name); value != nullptr && option.check(*value))
      return fmt::format("{}option {} is {}, but must be {}", place_of(file, option), name,
                         cut(to_string(*value)), range_in_file(option));
  }
  return std::nullopt;
}

std::optional<std::string> explain_keys(const caf::config_option_set& options,
                                        const caf::settings& content, const option_file& file) {
  std::vector<std::string> known;
  for (const auto& option : options)
    if (view_of(option.category()) == "mobula")
      known.emplace_back(view_of(option.long_name()));
  for (const auto& [group, value] : content) {
    const auto* keys = caf::get_if<caf::settings>(&value);
    if (keys == nullptr)
      continue;
    // Applications have groups of their own, which may be called nearly anything.
    if (group != "mobula" && typing_errors(group, "mobula") == 1)
      return fmt::format("{}there is no group \"{}\" of options; did you mean \"mobula\"?",
                         place_of(file, {group}), group);
    if (group != "mobula")
      continue;
    for (const auto& [key, ignored] : *keys)
      if (std::ranges::find(known, key) == known.end())
        return fmt::format("{}there is no option mobula.{}{}; --help lists those there are",
                           place_of(file, {key, "mobula." + key}), key, did_you_mean(key, known));
  }
  return std::nullopt;
}

} // namespace mobula::internal

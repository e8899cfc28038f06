// Explains the words of a command line that CAF refuses with no more than a code, and prints the
// help text.

#include "mobula/runtime/option_words.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "mobula/runtime/nearest_word.hpp"

namespace mobula::internal {

namespace {

std::string_view view_of(caf::string_view text) {
  return {text.data(), text.size()};
}

caf::string_view view_of(std::string_view text) {
  return {text.data(), text.size()};
}

/// As it is written on a command line, without dashes.
std::string command_name(const caf::config_option& option) {
  auto name = std::string{view_of(option.long_name())};
  return option.has_flat_cli_name() ? name : fmt::format("{}.{}", view_of(option.category()), name);
}

std::vector<std::string> command_names(const caf::config_option_set& options) {
  std::vector<std::string> result;
  for (const auto& option : options)
    result.push_back("--" + command_name(option));
  return result;
}

/// One word of a command line, taken apart.
struct option_word {
  std::string name; ///< without dashes
  std::optional<std::string> value;
};

option_word take_apart(std::string_view word) {
  word.remove_prefix(2);
  auto split = word.find('=');
  if (split == std::string_view::npos)
    return {std::string{word}, std::nullopt};
  return {std::string{word.substr(0, split)}, std::string{word.substr(split + 1)}};
}

/// Calls `f` with the place of each word that CAF takes for an option, and with that option, null
/// if there is none of this name. CAF stops at the first word that is neither an option nor the
/// value of a short one.
template <class F>
void for_each_option(const caf::config_option_set& options, const std::vector<std::string>& words,
                     F f) {
  for (std::size_t index = 0; index < words.size(); ++index) {
    const auto& word = words[index];
    if (word == "--" || !word.starts_with('-') || word == "-")
      return;
    if (word.starts_with("--")) {
      f(index, options.cli_long_name_lookup(view_of(std::string_view{take_apart(word).name})));
      continue;
    }
    const auto* option = options.cli_short_name_lookup(word[1]);
    auto value_follows = option != nullptr && !option->is_flag() && word.size() == 2;
    f(index, option);
    if (value_follows)
      ++index;
  }
}

std::vector<option_word> long_options(const caf::config_option_set& options,
                                      const std::vector<std::string>& words) {
  std::vector<option_word> result;
  for_each_option(options, words, [&](std::size_t index, const caf::config_option*) {
    if (words[index].starts_with("--"))
      result.push_back(take_apart(words[index]));
  });
  return result;
}

std::optional<std::string> explain(const caf::config_option_set& options, const option_word& word) {
  const auto* option = options.cli_long_name_lookup(view_of(std::string_view{word.name}));
  if (option == nullptr)
    return fmt::format("there is no option --{}{}; --help lists those there are", word.name,
                       did_you_mean("--" + word.name, command_names(options)));
  if (!word.value || (word.value->empty() && !option->is_flag()))
    return option->is_flag()
             ? std::nullopt
             : std::optional{fmt::format("option {0} needs a value, as in --{0}=…; it must be {1}",
                                         word.name, range_of(*option))};
  if (option->parse(view_of(std::string_view{*word.value})))
    return std::nullopt;
  return fmt::format("option {} is \"{}\", but must be {}", word.name, *word.value,
                     range_of(*option));
}

/// What stands for a value in the help text.
std::string_view placeholder(const caf::config_option& option) {
  auto type = view_of(option.type_name());
  auto description = view_of(option.description());
  if (type == size_type)
    return "SIZE";
  if (type == "timespan")
    return "TIME";
  if (type.find("int") != std::string_view::npos)
    return "N";
  if (description.starts_with("ADDRESS:PORT"))
    return "ADDRESS:PORT";
  if (type.find("vector") != std::string_view::npos || type.find("list") != std::string_view::npos)
    return "LIST";
  return "TEXT";
}

std::string help_line(const caf::config_option& option) {
  auto name = "--" + command_name(option);
  if (!option.is_flag())
    name += fmt::format("={}", placeholder(option));
  return fmt::format("  {:<35} {}\n", name, view_of(option.description()));
}

} // namespace

std::string range_of(const caf::config_option& option) {
  auto type = view_of(option.type_name());
  if (type == size_type)
    return std::string{size_words};
  if (type == "timespan")
    return std::string{time_words};
  if (type.find("int") != std::string_view::npos)
    return "a whole number";
  if (type == "boolean" || type == "bool")
    return "true or false";
  if (type.find("vector") != std::string_view::npos || type.find("list") != std::string_view::npos)
    return R"(a list such as ["one","two"])";
  return fmt::format("of type {}", type);
}

std::optional<std::string> explain_words(const caf::config_option_set& options,
                                         const std::vector<std::string>& words) {
  for (const auto& word : long_options(options, words))
    if (auto text = explain(options, word))
      return text;
  return std::nullopt;
}

bool has_flag(const caf::config_option_set& options, const std::vector<std::string>& words,
              std::string_view name) {
  return std::ranges::any_of(long_options(options, words), [&](const option_word& word) {
    return word.name == name && !word.value;
  });
}

flag_words take_flag_values(const caf::config_option_set& options, std::vector<std::string> words) {
  flag_words result;
  std::set<std::size_t> taken;
  std::multimap<const caf::config_option*, std::size_t> turned_on; // with the words' places
  for_each_option(options, words, [&](std::size_t index, const caf::config_option* option) {
    if (option == nullptr || !option->is_flag())
      return;
    // As with other options, the last word decides.
    std::erase(result.off, option);
    auto word = words[index].starts_with("--") ? take_apart(words[index]) : option_word{};
    if (word.value == "true") {
      words[index] = "--" + word.name;
      turned_on.emplace(option, index);
    } else if (word.value == "false") {
      result.off.push_back(option);
      taken.insert(index);
      auto [first, last] = turned_on.equal_range(option);
      for (auto each = first; each != last; ++each)
        taken.insert(each->second);
    } else if (word.value == "") {
      // CAF would take it for no value, and turn the flag on.
      words[index] += "?";
    } else if (!word.value && words[index].size() >= 2
               && (words[index].starts_with("--") || words[index].size() == 2)) {
      turned_on.emplace(option, index);
    }
  });
  for (std::size_t index = 0; index < words.size(); ++index)
    if (!taken.contains(index))
      result.words.push_back(std::move(words[index]));
  return result;
}

void turn_off(caf::settings& content, const caf::config_option& flag) {
  caf::config_value off{false};
  flag.store(off);
  // Leaves the name of the group "global" out.
  caf::put(content, flag.full_name(), std::move(off));
}

std::string help_of(const caf::config_option_set& options) {
  auto result = options.help_text();
  while (result.ends_with("\n\n"))
    result.pop_back();
  result += "  --version              : print the version of Mobula and exit\n"
            "\nmobula options (a SIZE is 4096, 64MB or 64MiB, a TIME 20ms, 5s, 2min or 1h):\n";
  for (const auto& option : options)
    if (view_of(option.category()) == "mobula")
      result += help_line(option);
  return result + "\n--long-help lists those of CAF, too.\n";
}

} // namespace mobula::internal

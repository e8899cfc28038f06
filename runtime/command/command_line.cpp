// Describes the words that the command takes, once for parser, help, manual page and completion,
// and says what is wrong with those that it does not take.

#include "command_line.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "mobula/runtime/nearest_word.hpp"
#include "mobula/version.hpp"

namespace mobula::command {

namespace {

// -- options --------------------------------------------------------------------------------------

/// Returns the words as a sentence has them: `owner, node or type`.
std::string listed(const std::vector<std::string>& words) {
  std::string result;
  for (std::size_t index = 0; index < words.size(); ++index) {
    if (index > 0)
      result += index + 1 == words.size() ? " or " : ", ";
    result += words[index];
  }
  return result;
}

template <class T>
using named_values = std::vector<std::pair<std::string, T>>;

template <class T>
std::vector<std::string> names_of(const named_values<T>& values) {
  std::vector<std::string> result;
  for (const auto& each : values)
    result.push_back(each.first);
  return result;
}

/// An option that takes one of the names, which its help text lists.
template <class T>
void add_choice(CLI::App& command, const std::string& name, T& chosen, named_values<T> values,
                const std::string& description) {
  auto choose = [&chosen, name, values](const std::string& word) {
    for (const auto& [each, value] : values) {
      if (each == word) {
        chosen = value;
        return;
      }
    }
    auto names = names_of(values);
    throw CLI::ValidationError(fmt::format("{} takes {}, not \"{}\"{}", name, listed(names), word,
                                           internal::did_you_mean(word, names)));
  };
  command.add_option_function<std::string>(name, choose, description)
    ->type_name(fmt::format("{}", fmt::join(names_of(values), "|")));
}

struct count_range {
  std::size_t least = 0;
  std::size_t most = std::numeric_limits<std::size_t>::max();
};

/// An option that takes a number of things, whose default value its help text names.
void add_count(CLI::App& command, const std::string& name, std::size_t& chosen,
               const std::string& things, const std::string& description, count_range range = {}) {
  auto choose = [&chosen, name, things, range](const std::string& word) {
    const auto* end = word.data() + word.size();
    auto [stopped, error] = std::from_chars(word.data(), end, chosen);
    auto is_number = error == std::errc{} && stopped == end;
    if (is_number && chosen >= range.least && chosen <= range.most)
      return;
    auto limits = range.most == count_range{}.most
                    ? std::string{}
                    : fmt::format(" from {} to {}", range.least, range.most);
    throw CLI::ValidationError(
      fmt::format("{} takes a number of {}{}, not \"{}\"", name, things, limits, word));
  };
  command.add_option_function<std::string>(name, choose, description)
    ->type_name("N")
    ->default_str(std::to_string(chosen));
}

void add_common(CLI::App& command, arguments& chosen) {
  command
    .add_option("--node", chosen.node,
                "Where a node of the cluster listens, which names the others")
    ->type_name("ADDRESS:PORT")
    ->envname("MOBULA_NODE")
    ->required();
  command.add_flag("--json", chosen.json, "Write JSON, for programs");
}

void add_launch(CLI::App& app, launch_options& chosen) {
  auto* launch = app.add_subcommand(
    "launch", "Runs a program in several processes, as one cluster on this host");
  constexpr count_range milliseconds{.least = 0, .most = 86'400'000};
  add_count(*launch, "--nodes", chosen.nodes, "processes", "Processes to start",
            {.least = 1, .most = 256});
  launch->add_option("--options-file", chosen.options_file, "File with options for all of them")
    ->type_name("FILE");
  add_count(*launch, "--restarts", chosen.restarts, "restarts",
            "Restarts of a process that crashes again and again", {.least = 0, .most = 1'000'000});
  add_count(*launch, "--restart-delay-ms", chosen.restart_delay_ms, "milliseconds",
            "Milliseconds before the first of them, doubled with each up to half a minute",
            milliseconds);
  add_count(*launch, "--stop-limit-ms", chosen.stop_limit_ms, "milliseconds",
            "Milliseconds that each process may take to end before it is killed", milliseconds);
  launch
    ->add_option("PROGRAM", chosen.program,
                 "The program and its arguments; options of the program stand behind `--`")
    ->type_name("")
    ->required();
  launch->footer(
    "Each process is told its number in MOBULA_LAUNCH_NODE, from 0, and has no input. One that\n"
    "ends with another code than 0 is started again, unless SIGINT, SIGTERM or SIGHUP asked it to\n"
    "end. Ctrl-C, SIGTERM and the end of the terminal (but not with nohup) end all, the last one\n"
    "first; a second signal kills them. Exits with 0 if all ended well, with 2 if the program\n"
    "cannot be started at all, with the code of the process that failed too often (127 if it\n"
    "could not be started again), or with 128 and the signal's number.");
}

void add_clean(CLI::App& app, clean_options& chosen) {
  auto* clean = app.add_subcommand("clean", "Removes what dead nodes left on this host");
  clean
    ->add_option("--arena-dir", chosen.arena_directory,
                 "Directory that nodes were given as mobula.arena-dir")
    ->type_name("DIRECTORY")
    ->capture_default_str();
  clean
    ->add_option("--spill-dir", chosen.spill_directories,
                 "Directory that nodes were given in mobula.spill-dirs; may be repeated")
    ->type_name("DIRECTORY");
  clean->footer("Asks no node, and leaves alone what belongs to one that lives.");
}

std::string exit_codes_text() {
  std::string result = "Exit codes:";
  for (const auto& each : exit_meanings)
    result += fmt::format("\n  {}  {}", static_cast<int>(each.code), each.meaning);
  return result;
}

} // namespace

void describe(CLI::App& app, arguments& chosen) {
  app.name("mobula");
  app.description(
    "Starts a Mobula cluster, shows what it holds and for whom, and cleans up after it.");
  app.footer(exit_codes_text());
  app.require_subcommand(1);
  app.set_version_flag("--version", "mobula " MOBULA_VERSION_STRING, "Print the version and exit");
  auto* status = app.add_subcommand("status", "Nodes, and what each of them uses");
  auto* memory = app.add_subcommand("memory", "Objects, the largest first: where leaks show");
  auto* objects = app.add_subcommand("objects", "One object: its state, and who refers to it");
  for (auto* command : {status, memory, objects})
    add_common(*command, chosen);
  add_choice<grouping>(
    *memory, "--group-by", chosen.memory.group,
    {{"owner", grouping::owner},
     {"node", grouping::owner},
     {"type", grouping::type},
     {"state", grouping::state},
     {"call-site", grouping::call_site}},
    "Sums over all objects: for each owner, node (the same), type, state or call "
    "site");
  add_choice<sorting>(
    *memory, "--sort-by", chosen.memory.sort,
    {{"size", sorting::size}, {"references", sorting::references}, {"age", sorting::age}},
    "What is large, what many refer to, or what is old, first");
  add_count(*memory, "--limit", chosen.memory.max_rows, "rows", "Rows of text");
  objects->add_option("ID", chosen.id, "As `mobula memory` shows it")->type_name("")->required();
  add_launch(app, chosen.launch);
  add_clean(app, chosen.clean);
}

void parse(CLI::App& app, arguments& chosen, std::vector<std::string> words) {
  std::vector<std::string> of_the_program;
  // The program itself stays, so that CLI11 knows whether there is one.
  auto launches = !words.empty() && words.front() == "launch";
  auto mark = launches ? std::ranges::find(words, "--") : words.end();
  if (words.end() - mark > 2) {
    of_the_program.assign(mark + 2, words.end());
    words.erase(mark + 2, words.end());
  }
  // CLI11 takes them from the back.
  std::ranges::reverse(words);
  app.parse(std::move(words));
  auto& program = chosen.launch.program;
  program.insert(program.end(), of_the_program.begin(), of_the_program.end());
}

// -- names ----------------------------------------------------------------------------------------

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> result;
  for (const auto* option : command.get_options())
    for (const auto& name : option->get_lnames())
      result.push_back("--" + name);
  return result;
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> result;
  for (const auto* command : app.get_subcommands(nullptr))
    result.push_back(command->get_name());
  return result;
}

// -- errors ---------------------------------------------------------------------------------------

namespace {

/// Returns the error for an option that the command does not have.
std::string unknown_option(const CLI::App& command, const std::string& word) {
  auto name = word.substr(0, word.find('='));
  for (const auto* child : command.get_subcommands(nullptr))
    for (const auto& each : option_names(*child))
      if (each == name)
        return fmt::format("{} belongs behind a command, as in `mobula {} {}`", name,
                           child->get_name(), name);
  auto known = option_names(command);
  auto remedy = internal::did_you_mean(name, known);
  if (remedy.empty() && command.get_name() == "launch")
    remedy = "; options of the program stand behind --";
  return fmt::format("{} has no option {}{}",
                     command.get_parent() != nullptr ? "mobula " + command.get_name() : "mobula",
                     name, remedy);
}

/// Returns the error for the first word that a command does not take, if one was given: what
/// follows it may only be its value.
std::string unknown_word(const CLI::App& command) {
  auto words = command.remaining();
  // The mark before words that are no options is kept among them.
  std::erase(words, "--");
  if (words.empty())
    return {};
  if (words.front().starts_with('-'))
    return unknown_option(command, words.front());
  if (command.get_parent() != nullptr)
    return fmt::format("mobula {} has no use for \"{}\"", command.get_name(), words.front());
  auto known = command_names(command);
  return fmt::format("\"{}\" is no command; there are {}{}", words.front(), listed(known),
                     internal::did_you_mean(words.front(), known));
}

} // namespace

std::string usage_error(const CLI::App& app, const CLI::ParseError& error) {
  // What CLI11 complains of first may only follow from a word that it did not know.
  if (auto text = unknown_word(app); !text.empty())
    return text;
  const auto commands = app.get_subcommands();
  if (commands.empty())
    return fmt::format("there is no command; give {}", listed(command_names(app)));
  if (auto text = unknown_word(*commands.front()); !text.empty())
    return text;
  return error.what();
}

} // namespace mobula::command

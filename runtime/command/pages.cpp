// Writes the manual page or bash's completion of `mobula`, from the description that the command
// parses its arguments with. Runs while Mobula is built.
//
// Usage: pages man|bash

#include <cctype>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "command_line.hpp"
#include "mobula/version.hpp"

namespace {

using namespace mobula::command;

std::vector<const CLI::Option*> named_options(const CLI::App& command) {
  return command.get_options([](const CLI::Option* option) { return option->nonpositional(); });
}

/// What a user puts behind the option's name; empty for flags.
std::string placeholder(const CLI::Option& option) {
  return option.get_items_expected_max() > 0 ? option.get_type_name() : std::string{};
}

// -- manual page ----------------------------------------------------------------------------------

/// Returns the text as roff prints it literally.
std::string roff(std::string_view text) {
  std::string result = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
  for (auto letter : text) {
    if (letter == '\\')
      result += "\\e";
    else if (letter == '-')
      result += "\\-";
    else
      result += letter;
  }
  return result;
}

/// Returns a placeholder in italics, with the bars between choices upright.
std::string roff_placeholder(std::string_view text) {
  std::string result = "\\fI";
  for (auto letter : text)
    result += letter == '|' ? "\\fR|\\fI" : roff(std::string(1, letter));
  return result + "\\fR";
}

std::string roff_option(const CLI::Option& option) {
  std::string result;
  for (const auto& name : option.get_snames())
    result += fmt::format("{}\\fB\\-{}\\fR", result.empty() ? "" : ", ", roff(name));
  for (const auto& name : option.get_lnames())
    result += fmt::format("{}\\fB\\-\\-{}\\fR", result.empty() ? "" : ", ", roff(name));
  if (auto value = placeholder(option); !value.empty())
    result += " " + roff_placeholder(value);
  return result;
}

std::string synopsis(const CLI::App& command) {
  auto result = fmt::format("\\fBmobula {}\\fR", roff(command.get_name()));
  for (const auto* option : named_options(command)) {
    if (option == command.get_help_ptr())
      continue;
    result += option->get_required() ? " " + roff_option(*option)
                                     : fmt::format(" [{}]", roff_option(*option));
  }
  for (const auto* option : command.get_options())
    if (option->get_positional())
      result += " " + roff_placeholder(option->get_name(true))
                + (option->get_items_expected_max() > 1 ? " ..." : "");
  return result;
}

void print_options(const CLI::App& command) {
  for (const auto* option : command.get_options()) {
    std::cout << ".TP\n"
              << (option->get_positional() ? roff_placeholder(option->get_name(true))
                                           : roff_option(*option))
              << '\n'
              << roff(option->get_description());
    if (option->get_required())
      std::cout << "; required";
    if (const auto& value = option->get_default_str(); !value.empty())
      std::cout << "; " << roff(value) << " if not given";
    if (const auto& name = option->get_envname(); !name.empty())
      std::cout << "; taken from \\fB" << roff(name) << "\\fR if not given";
    std::cout << ".\n";
  }
}

/// Returns a sentence as the list of all manual pages has it: `shows what there is`.
std::string without_stop(std::string sentence) {
  if (sentence.ends_with('.'))
    sentence.pop_back();
  if (!sentence.empty())
    sentence[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(sentence[0])));
  return sentence;
}

void print_manual(const CLI::App& app) {
  std::cout << ".\\\" Made from the command's own description.\n"
            << ".TH MOBULA 1 \"\" \"Mobula " MOBULA_VERSION_STRING "\" \"User Commands\"\n"
            << ".SH NAME\nmobula \\- " << roff(without_stop(app.get_description())) << '\n'
            << ".SH SYNOPSIS\n";
  for (const auto* command : app.get_subcommands(nullptr))
    std::cout << synopsis(*command) << "\n.br\n";
  for (const auto* option : named_options(app))
    std::cout << "\\fBmobula\\fR " << roff_option(*option) << "\n.br\n";
  std::cout << ".SH DESCRIPTION\n"
            << roff("launch runs a program in several processes, and clean removes what dead nodes "
                    "left. The other commands ask any node that listens, and through it all others "
                    "of its cluster, without joining them.")
            << "\n.SH COMMANDS\n";
  for (const auto* command : app.get_subcommands(nullptr)) {
    std::cout << ".SS " << roff(command->get_name()) << '\n'
              << roff(command->get_description()) << ".\n";
    print_options(*command);
    if (command->get_footer() != app.get_footer())
      std::cout << ".PP\n" << roff(command->get_footer()) << '\n';
  }
  std::cout << ".SH OPTIONS\n";
  print_options(app);
  std::cout << ".SH EXIT STATUS\n";
  for (const auto& each : exit_meanings)
    std::cout << ".TP\n" << static_cast<int>(each.code) << '\n' << roff(each.meaning) << ".\n";
}

// -- completion -----------------------------------------------------------------------------------

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

/// Returns the words that may follow the option, separated by spaces; none if it takes what is not
/// known here.
std::string choices(const CLI::Option& option) {
  auto text = placeholder(option);
  if (text.find('|') == std::string::npos)
    return {};
  for (auto& letter : text)
    if (letter == '|')
      letter = ' ';
  return text;
}

// Bash breaks words at `=`: `--sort-by=si` arrives as three of them.
constexpr std::string_view completion_begin = R"(# bash completion for mobula

_mobula() {
  local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} command='' each words
  if [[ $word == = ]]; then
    word=
  elif [[ $option == = ]]; then
    option=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $each in
      @COMMANDS@)
        command=$each
        break
        ;;
    esac
  done
  case "$command $option" in
)";

constexpr std::string_view completion_end = R"(  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o default -F _mobula mobula
)";

void print_completion(const CLI::App& app) {
  const auto commands = command_names(app);
  std::string begin{completion_begin};
  const std::string slot = "@COMMANDS@";
  begin.replace(begin.find(slot), slot.size(), fmt::format("{}", fmt::join(commands, " | ")));
  std::cout << begin;
  for (const auto* command : app.get_subcommands(nullptr)) {
    for (const auto* option : named_options(*command)) {
      if (placeholder(*option).empty())
        continue;
      for (const auto& name : option->get_lnames())
        std::cout << fmt::format("    '{} --{}') words='{}' ;;\n", command->get_name(), name,
                                 choices(*option));
    }
    std::cout << fmt::format("    '{} '*) words='{}' ;;\n", command->get_name(),
                             joined(option_names(*command)));
  }
  std::cout << fmt::format("    *) words='{} {}' ;;\n", joined(commands), joined(option_names(app)))
            << completion_end;
}

} // namespace

int main(int argument_count, char** words) {
  const std::string_view kind = argument_count == 2 ? words[1] : "";
  arguments unused;
  CLI::App app;
  describe(app, unused);
  if (kind == "man")
    print_manual(app);
  else if (kind == "bash")
    print_completion(app);
  else {
    std::cerr << "usage: pages man|bash\n";
    return exit_bad_arguments;
  }
  return exit_complete;
}

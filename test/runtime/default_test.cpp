// The defaults that `--help` and the table of config.hpp name are those that a node has: each is
// given to its option as if a user wrote it, and must change nothing.

#include <doctest/doctest.h>

#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <mobula/config.hpp>

#include "mobula/actors/caf/caf_error.hpp"
#include "mobula/runtime/cluster_options.hpp"

using namespace mobula;

namespace {

using named_defaults = std::map<std::string, std::string>;

void parse(config& settings, std::vector<std::string> words) {
  words.insert(words.begin(), "program");
  std::vector<char*> pointers;
  for (auto& word : words)
    pointers.push_back(word.data());
  auto error = settings.parse(static_cast<int>(pointers.size()), pointers.data(), "/dev/null");
  REQUIRE_MESSAGE(!error, to_error_info(error).message);
}

/// All that the options of the group `mobula` say, but where the node listens and joins.
struct settings_read {
  node_options options;
  std::chrono::nanoseconds stop_limit;
  std::chrono::nanoseconds heartbeat_interval;
  std::chrono::nanoseconds heartbeat_timeout;

  bool operator==(const settings_read&) const = default;
};

settings_read read(const std::vector<std::string>& words) {
  config settings;
  parse(settings, words);
  auto times = internal::read_heartbeat_times(settings);
  return {.options = read_options(settings),
          .stop_limit = read_stop_limit(settings),
          .heartbeat_interval = times.interval,
          .heartbeat_timeout = times.timeout};
}

named_defaults defaults_of_help() {
  std::ostringstream output;
  auto* before = std::cout.rdbuf(output.rdbuf());
  config settings;
  parse(settings, {"--help"});
  std::cout.rdbuf(before);
  named_defaults result;
  std::istringstream lines{output.str()};
  constexpr std::string_view beginning = "  --mobula.";
  constexpr std::string_view mark = "(default ";
  for (std::string line; std::getline(lines, line);)
    if (auto from = line.rfind(mark); line.starts_with(beginning) && from != std::string::npos) {
      auto name = line.substr(beginning.size());
      result[name.substr(0, name.find_first_of("= "))] =
        line.substr(from + mark.size(), line.rfind(')') - from - mark.size());
    }
  return result;
}

/// A cell of a table's line, without the spaces around it.
std::string cell_of(const std::string& line, std::size_t index) {
  std::size_t from = 0;
  for (std::size_t bar = 0; bar <= index; ++bar)
    from = line.find('|', from) + 1;
  auto text = line.substr(from, line.find('|', from) - from);
  text.erase(0, text.find_first_not_of(' '));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

named_defaults defaults_of_table() {
  named_defaults result;
  std::ifstream header{CONFIG_HEADER};
  REQUIRE(header);
  std::string name;
  for (std::string line; std::getline(header, line);) {
    if (!line.starts_with("/// | ")) {
      name.clear();
      continue;
    }
    auto cell = cell_of(line, 0);
    if (cell.starts_with('`'))
      name = cell.substr(1, cell.size() - 2);
    else if (!cell.empty())
      name.clear();
    // What needs several lines goes on below.
    if (auto part = cell_of(line, 2); !name.empty() && !part.empty())
      result[name] += (result[name].empty() ? "" : " ") + part;
  }
  return result;
}

/// Defaults that are said in words, and what a user would write for them.
const std::map<std::string, std::string> written_as{{"30 % of the memory granted", "0"},
                                                    {"20 % of the memory granted", "0"},
                                                    {"what is free", "1TiB"}};

/// Words for what no value stands for: the option is left out.
const std::set<std::string> left_out{"none",
                                     "does not listen",
                                     "joins none",
                                     "those of the interfaces",
                                     "those of the host",
                                     "HOST:PID",
                                     "its host and pid",
                                     "as many as used, 4MiB to 256MiB",
                                     "as much as used, 4–256MiB"};

void check(const named_defaults& defaults) {
  const auto without = read({});
  for (const auto& [name, text] : defaults) {
    if (left_out.contains(text))
      continue;
    auto known = written_as.find(text);
    auto word = "--mobula." + name + "=" + (known == written_as.end() ? text : known->second);
    CHECK_MESSAGE(read({word}) == without, word);
  }
}

} // namespace

TEST_CASE("the defaults that help names are those that a node has") {
  auto defaults = defaults_of_help();
  CHECK(defaults.size() > 25);
  check(defaults);
}

TEST_CASE("the table of config.hpp names the options that help does, and their defaults") {
  auto names_of = [](const named_defaults& defaults) {
    std::set<std::string> result;
    for (const auto& each : defaults)
      result.insert(each.first);
    return result;
  };
  auto defaults = defaults_of_table();
  CHECK(names_of(defaults) == names_of(defaults_of_help()));
  check(defaults);
}

TEST_CASE("what has no default in words is left out where nobody gives it") {
  auto options = read({}).options;
  CHECK(options.spill_directories.empty());
  CHECK(options.advertise.empty());
  CHECK(options.name.empty());
  CHECK(!options.prefault_bytes);
}

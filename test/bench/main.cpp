// mobula-bench: measures Mobula next to baselines; see docs/benchmarks.md.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "cases.hpp"
#include "paired_rounds.hpp"
#include "partner.hpp"
#include "report.hpp"
#include "revisions.hpp"

namespace mobula::bench {

namespace {

/// Exit code for arguments that make no sense.
constexpr int bad_arguments = 2;

/// Exit code for a case that costs more than in the other build.
constexpr int slower_than_other = 3;

/// What the command line says.
struct request {
  std::string filter;
  std::string report_path;
  std::string other_program;
  bool list = false;
  bool large = false;
  std::string directory = std::filesystem::temp_directory_path();
  round_plan plan;
};

std::string check_regex(const std::string& text) {
  try {
    const std::regex pattern{text};
    return {};
  } catch (const std::regex_error&) {
    return "'" + text + "' is no regular expression";
  }
}

/// Reads the command line. Returns an exit code if there is nothing to run.
std::optional<int> parse(int argc, char** argv, request& wanted) {
  CLI::App app{"Measures Mobula: each case next to a baseline that takes turns with it."};
  app.add_flag("--list", wanted.list, "Print the names of the cases and end");
  app.add_option("--filter", wanted.filter, "Run only cases whose name matches this expression")
    ->check(CLI::Validator{check_regex, "REGEX", "regex"});
  app.add_option("--report", wanted.report_path, "Write the results to this file, as JSON")
    ->type_name("FILE");
  app
    .add_option("--compare", wanted.other_program,
                "Take turns with another build of this program, round by round, and print the "
                "ratios of this one's values to its; ends with code 3 if a case is slower here")
    ->type_name("OTHER-BINARY");
  app.add_flag(
    "--large", wanted.large,
    "Also run among 10 million objects and on those of 1 GiB (some gigabytes of memory)");
  app.add_option("--directory", wanted.directory, "Where the cases on spilling write their files")
    ->check(CLI::ExistingDirectory)
    ->capture_default_str();
  app.add_option("--rounds", wanted.plan.rounds, "Rounds for each case")
    ->check(CLI::Range(1, 1000))
    ->capture_default_str();
  app
    .add_option("--seconds", wanted.plan.seconds,
                "Time to measure each side for, at least, in each round")
    ->check(CLI::Range(0.0001, 60.0))
    ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : bad_arguments;
  }
  return std::nullopt;
}

std::vector<comparison> choose(bench_node& bench, const request& wanted) {
  std::vector<comparison> cases;
  add_small_cases(cases, bench);
  add_reading_cases(cases, bench);
  const auto sizes = wanted.large ? scale::large : scale::usual;
  add_stored_cases(cases, bench, sizes);
  add_spill_cases(cases, bench, wanted.directory);
  add_transfer_cases(cases);
  add_cluster_cases(cases, sizes);
  add_pull_cases(cases);
  add_simulation_cases(cases);
  add_scale_cases(cases, bench, sizes);
  add_table_cases(cases);
  const std::regex pattern{wanted.filter};
  std::erase_if(cases, [&](const comparison& candidate) {
    return !std::regex_search(candidate.name, pattern);
  });
  return cases;
}

std::vector<report_row> measure(std::vector<comparison> cases, const round_plan& plan) {
  std::vector<report_row> rows;
  print_header(std::cout);
  for (auto& subject : cases) {
    // Taken out of the list, so that what a case keeps between rounds goes with it.
    const auto current = std::move(subject);
    if (auto obstacle = current.obstacle ? current.obstacle() : std::nullopt) {
      std::cout << current.name << " skipped: " << *obstacle << std::endl;
      continue;
    }
    rows.push_back(make_row(current, run_rounds(current, plan)));
    print_row(std::cout, rows.back());
  }
  return rows;
}

/// Opened first: nobody wants to learn of a bad path after minutes. Throws
/// `std::invalid_argument`.
std::ofstream open_report(const request& wanted) {
  std::ofstream report;
  if (wanted.report_path.empty())
    return report;
  report.open(wanted.report_path);
  if (!report)
    throw std::invalid_argument{"cannot write '" + wanted.report_path + "'"};
  return report;
}

template <class Row>
void write_report(std::ofstream report, const std::vector<Row>& rows, const request& wanted) {
  if (!report.is_open())
    return;
  write_json(report, rows);
  report.close();
  if (!report)
    throw std::runtime_error{"could not write all of '" + wanted.report_path + "'"};
}

/// Throws `std::invalid_argument` if there are none.
std::vector<comparison> choose_some(bench_node& bench, const request& wanted) {
  auto cases = choose(bench, wanted);
  if (cases.empty())
    throw std::invalid_argument{"no case matches '" + wanted.filter + "' (see --list)"};
  return cases;
}

/// The node that cases are listed for is gone before anything is measured.
std::vector<std::string> choose_names(const request& wanted) {
  bench_node bench;
  std::vector<std::string> names;
  for (const auto& subject : choose_some(bench, wanted))
    names.push_back(subject.name);
  return names;
}

int list(const request& wanted) {
  for (const auto& name : choose_names(wanted))
    std::cout << name << '\n';
  return EXIT_SUCCESS;
}

int run_cases(const request& wanted) {
  bench_node bench;
  auto cases = choose_some(bench, wanted);
  auto report = open_report(wanted);
  write_report(std::move(report), measure(std::move(cases), wanted.plan), wanted);
  return EXIT_SUCCESS;
}

int run_comparison(const request& wanted) {
  const auto names = choose_names(wanted);
  auto report = open_report(wanted);
  const revision_pair pair{
    .mine = bench_program{bench_program::own_path()},
    .other = bench_program{wanted.other_program},
    .plan = {.seconds = wanted.plan.seconds, .directory = wanted.directory, .large = wanted.large},
    .rounds = wanted.plan.rounds};
  const auto rows = compare_revisions(pair, names, std::cout);
  write_report(std::move(report), rows, wanted);
  const auto any_slower = std::ranges::count(rows, verdict::slower, &revision_row::verdict) > 0;
  return any_slower ? slower_than_other : EXIT_SUCCESS;
}

int run(const request& wanted) {
  if (wanted.list)
    return list(wanted);
  return wanted.other_program.empty() ? run_cases(wanted) : run_comparison(wanted);
}

} // namespace

} // namespace mobula::bench

int main(int argc, char** argv) {
  try {
    if (argc > 1 && std::string_view{argv[1]} == mobula::bench::partner_argument)
      return mobula::bench::run_partner({argv + 2, argv + argc});
    mobula::bench::request wanted;
    if (auto code = mobula::bench::parse(argc, argv, wanted))
      return *code;
    return mobula::bench::run(wanted);
  } catch (const std::invalid_argument& error) {
    std::cerr << "mobula-bench: " << error.what() << '\n';
    return mobula::bench::bad_arguments;
  } catch (const std::exception& error) {
    std::cerr << "mobula-bench: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}

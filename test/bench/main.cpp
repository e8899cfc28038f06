// mobula-bench: measures Mobula next to baselines; see docs/benchmarks.md.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "cases.hpp"
#include "paired_rounds.hpp"
#include "partner.hpp"
#include "report.hpp"

namespace mobula::bench {

namespace {

/// Exit code for arguments that make no sense.
constexpr int bad_arguments = 2;

/// What the command line says.
struct request {
  std::string filter;
  std::string report_path;
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

int run(const request& wanted) {
  bench_node bench;
  auto cases = choose(bench, wanted);
  if (cases.empty()) {
    std::cerr << "mobula-bench: no case matches '" << wanted.filter << "' (see --list)\n";
    return bad_arguments;
  }
  if (wanted.list) {
    for (const auto& subject : cases)
      std::cout << subject.name << '\n';
    return EXIT_SUCCESS;
  }
  std::ofstream report;
  if (!wanted.report_path.empty()) {
    // Opened first: nobody wants to learn of a bad path after minutes.
    report.open(wanted.report_path);
    if (!report) {
      std::cerr << "mobula-bench: cannot write '" << wanted.report_path << "'\n";
      return bad_arguments;
    }
  }
  const auto rows = measure(std::move(cases), wanted.plan);
  if (!report.is_open())
    return EXIT_SUCCESS;
  write_json(report, rows);
  report.close();
  if (report)
    return EXIT_SUCCESS;
  std::cerr << "mobula-bench: could not write all of '" << wanted.report_path << "'\n";
  return EXIT_FAILURE;
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
  } catch (const std::exception& error) {
    std::cerr << "mobula-bench: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}

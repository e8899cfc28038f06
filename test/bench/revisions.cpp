// Compares two builds of this program. Machines drift, as paired_rounds.hpp tells; so the builds
// take turns round by round, and only neighbours are divided. Each round is a process of its own:
// where a process's memory happens to lie can make more of a difference than a change, and goes
// into the spread this way.

#include "revisions.hpp"

#include <algorithm>
#include <optional>
#include <ostream>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace mobula::bench {

namespace {

constexpr auto columns = "{:<28} {:>10} {:>10} {:<5}{:>9}  {:<17} {}\n";

bool is_throughput(std::string_view unit_symbol) {
  return unit_symbol == to_string(unit::gigabytes_per_second)
         || unit_symbol == to_string(unit::per_second);
}

void print_row(std::ostream& out, const revision_row& row) {
  const auto& numbers = row.outcome;
  out << fmt::format(columns, row.name, fmt::format("{:.4g}", numbers.value),
                     fmt::format("{:.4g}", numbers.baseline_value), row.unit,
                     fmt::format("{:.3g}", numbers.ratio),
                     fmt::format("{:.3g} to {:.3g}", numbers.lowest_ratio, numbers.highest_ratio),
                     to_string(row.verdict))
      << std::flush;
}

/// What keeps a case from being compared.
struct obstacle {
  std::string reason;
};

/// One round of one build.
program_value turn(const bench_program& program, const std::string& name,
                   const program_plan& plan) {
  auto outcome = program.measure(name, plan);
  if (auto* skipped = std::get_if<program_skipped>(&outcome))
    throw obstacle{fmt::format("'{}' says: {}", program.path(), skipped->reason)};
  return std::get<program_value>(std::move(outcome));
}

revision_row compare_case(const revision_pair& pair, const std::string& name) {
  std::vector<double> values;
  std::vector<double> others;
  revision_row row{.name = name, .unit = {}, .outcome = {}};
  for (int round = 0; round < pair.rounds; ++round) {
    auto mine = turn(pair.mine, name, pair.plan);
    auto other = turn(pair.other, name, pair.plan);
    if (mine.unit != other.unit)
      throw obstacle{
        fmt::format("this build measures {}, '{}' {}", mine.unit, pair.other.path(), other.unit)};
    values.push_back(mine.value);
    others.push_back(other.value);
    row.unit = std::move(mine.unit);
  }
  row.outcome = summarize(values, others);
  row.verdict = judge(row.outcome, row.unit);
  return row;
}

} // namespace

std::string_view to_string(verdict value) noexcept {
  switch (value) {
    case verdict::same:
      return "yes";
    case verdict::faster:
      return "no, faster";
    case verdict::slower:
      return "NO, SLOWER";
    case verdict::unclear:
      return "unclear";
  }
  return "?";
}

verdict judge(const result& ratios, std::string_view unit_symbol) noexcept {
  const auto turned = is_throughput(unit_symbol);
  const auto cost = turned ? 1 / ratios.ratio : ratios.ratio;
  const auto lowest = turned ? 1 / ratios.highest_ratio : ratios.lowest_ratio;
  const auto highest = turned ? 1 / ratios.lowest_ratio : ratios.highest_ratio;
  if (cost > 1 + tolerated_loss)
    return lowest > 1 ? verdict::slower : verdict::unclear;
  if (cost < 1 / (1 + tolerated_loss))
    return highest < 1 ? verdict::faster : verdict::unclear;
  return verdict::same;
}

std::vector<revision_row> compare_revisions(const revision_pair& pair,
                                            const std::vector<std::string>& names,
                                            std::ostream& out) {
  const auto known = pair.other.list(pair.plan.large);
  auto is_known = [&](const std::string& name) {
    return std::ranges::find(known, name) != known.end();
  };
  if (std::ranges::none_of(names, is_known))
    throw std::invalid_argument{
      fmt::format("'{}' has none of the chosen cases (see its --list)", pair.other.path())};
  out << fmt::format(columns, "case", "this", "other", "unit", "ratio", "of rounds", "within 5 %");
  std::vector<revision_row> rows;
  for (const auto& name : names) {
    try {
      if (!is_known(name))
        throw obstacle{fmt::format("'{}' does not have it", pair.other.path())};
      rows.push_back(compare_case(pair, name));
      print_row(out, rows.back());
    } catch (const obstacle& found) {
      out << name << " skipped: " << found.reason << std::endl;
    }
  }
  return rows;
}

void write_json(std::ostream& out, const std::vector<revision_row>& rows) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& row : rows) {
    nlohmann::ordered_json object;
    object["name"] = row.name;
    object["unit"] = row.unit;
    object["value"] = row.outcome.value;
    object["other_value"] = row.outcome.baseline_value;
    object["ratio"] = row.outcome.ratio;
    object["lowest_ratio"] = row.outcome.lowest_ratio;
    object["highest_ratio"] = row.outcome.highest_ratio;
    object["within"] = to_string(row.verdict);
    list.push_back(std::move(object));
  }
  out << list.dump(2) << '\n';
}

} // namespace mobula::bench

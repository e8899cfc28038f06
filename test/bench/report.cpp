// Prints the results as a table, and writes them as JSON.

#include "report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace mobula::bench {

namespace {

constexpr auto columns = "{:<26} {:>10} {:<5}{:>10} {:>9}  {:<17} {:<14} {:<6} {}\n";

bool row_holds(const report_row& row) {
  return row.budget->holds(row.result.value, row.result.ratio);
}

} // namespace

report_row make_row(const comparison& subject, const result& outcome) {
  return {.name = subject.name,
          .unit = subject.unit,
          .baseline = subject.baseline,
          .budget = subject.budget,
          .result = outcome};
}

void print_header(std::ostream& out) {
  out << fmt::format(columns, "case", "value", "unit", "baseline", "ratio", "of rounds", "budget",
                     "holds", "baseline is");
}

void print_row(std::ostream& out, const report_row& row) {
  const auto& numbers = row.result;
  const auto spread = fmt::format("{:.3g} to {:.3g}", numbers.lowest_ratio, numbers.highest_ratio);
  const auto* holds = !row.budget ? "" : row_holds(row) ? "yes" : "NO";
  out << fmt::format(columns, row.name, fmt::format("{:.4g}", numbers.value), to_string(row.unit),
                     fmt::format("{:.4g}", numbers.baseline_value),
                     fmt::format("{:.3g}", numbers.ratio), spread,
                     row.budget ? to_string(*row.budget) : "", holds, row.baseline)
      << std::flush;
}

void write_json(std::ostream& out, const std::vector<report_row>& rows) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& row : rows) {
    nlohmann::ordered_json object;
    object["name"] = row.name;
    object["unit"] = to_string(row.unit);
    object["value"] = row.result.value;
    object["baseline"] = row.baseline;
    object["baseline_value"] = row.result.baseline_value;
    object["ratio"] = row.result.ratio;
    object["budget"] = nullptr;
    object["holds"] = nullptr;
    if (row.budget) {
      object["budget"] = to_string(*row.budget);
      object["holds"] = row_holds(row);
    }
    list.push_back(std::move(object));
  }
  out << list.dump(2) << '\n';
}

} // namespace mobula::bench

#pragma once

#include <ostream>
#include <vector>

#include "comparison.hpp"

namespace mobula::bench {

/// A comparison without its code, and what came out.
struct report_row {
  std::string name;
  bench::unit unit;
  std::string baseline;
  std::optional<bench::budget> budget;
  bench::result result;
};

report_row make_row(const comparison& subject, const result& outcome);

/// Prints the headings of the table.
void print_header(std::ostream& out);

/// Prints one line of the table.
void print_row(std::ostream& out, const report_row& row);

/// Writes all rows as a JSON array; docs/benchmarks.md says what each key means.
void write_json(std::ostream& out, const std::vector<report_row>& rows);

} // namespace mobula::bench

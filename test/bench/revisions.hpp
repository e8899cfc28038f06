#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "bench_program.hpp"
#include "comparison.hpp"

namespace mobula::bench {

/// By how much a case may cost more in this build than in the other.
inline constexpr double tolerated_loss = 0.05;

/// What the rounds of a case say of two builds.
enum class verdict : std::uint8_t {
  same,    ///< the median is within `tolerated_loss`
  faster,  ///< beyond it, and no round says the opposite
  slower,  ///< the same the other way round
  unclear, ///< the median is beyond, but rounds disagree on the direction
};

std::string_view to_string(verdict value) noexcept;

/// Judges ratios of this build's values to the other's. Of throughputs, a large one is good.
[[nodiscard]] verdict judge(const result& ratios, std::string_view unit_symbol) noexcept;

/// A case in both builds; the baseline of `outcome` is the other build.
struct revision_row {
  std::string name;
  std::string unit;
  result outcome;
  bench::verdict verdict = bench::verdict::same;
};

/// Two builds, and how they take turns.
struct revision_pair {
  bench_program mine;
  bench_program other;
  program_plan plan;
  int rounds = 5;
};

/// Runs both builds in turn, one round of a case each, and prints a line for each case as it is
/// done; a case that one of them cannot run is named with the reason. Throws
/// `std::invalid_argument` if the other has none of the cases.
std::vector<revision_row> compare_revisions(const revision_pair& pair,
                                            const std::vector<std::string>& names,
                                            std::ostream& out);

/// Writes all rows as a JSON array; docs/benchmarks.md says what each key means.
void write_json(std::ostream& out, const std::vector<revision_row>& rows);

} // namespace mobula::bench

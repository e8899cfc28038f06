#pragma once

#include <string>
#include <variant>
#include <vector>

namespace mobula::bench {

/// What the measurements of a case in another process need to know.
struct program_plan {
  double seconds = 0.2;
  std::string directory;
  bool large = false;
};

/// What one round of a case gave.
struct program_value {
  double value = 0;
  std::string unit;
};

/// Why a program did not run a case, in its own words.
struct program_skipped {
  std::string reason;
};

/// Some build of mobula-bench, run as a process of its own for each question.
///
/// It is asked with the options that every revision has: `--list`, and for a measurement
/// `--filter ^CASE$ --rounds 1 --seconds S --report FILE`, of whose JSON `unit` and `value` are
/// read. So this program can be compared with builds that know nothing of comparing. Processes
/// inherit what the caller set up (cores, priority, environment), and one runs at a time.
class bench_program {
public:
  explicit bench_program(std::string path) : path_(std::move(path)) {
    // nop
  }

  /// Returns the path of the program that is running.
  [[nodiscard]] static std::string own_path();

  [[nodiscard]] const std::string& path() const noexcept {
    return path_;
  }

  /// Returns the names of all its cases. Throws `std::invalid_argument` if it is no mobula-bench.
  [[nodiscard]] std::vector<std::string> list(bool large) const;

  /// Runs one round of a case. Throws `std::runtime_error` if the program fails.
  [[nodiscard]] std::variant<program_value, program_skipped>
  measure(const std::string& name, const program_plan& plan) const;

private:
  std::string path_;
};

} // namespace mobula::bench

#pragma once

#include <chrono>
#include <optional>
#include <ostream>
#include <string>

#include "messages.hpp"

namespace text_index {

enum class progress_style : std::uint8_t {
  /// One line that is written over again and again: for terminals.
  bar,
  /// A line now and then: for logs.
  lines,
  /// A line for each tenth of the work: for programs that read along.
  steps,
};

/// Writes how far the work came, not too often.
class progress_printer {
public:
  using time_point = std::chrono::steady_clock::time_point;

  progress_printer(std::ostream& out, progress_style style, std::uint64_t total_files)
    : out_(&out), style_(style), total_files_(total_files) {
    // nop
  }

  void report(const build_progress& progress, time_point now);

  /// Ends the line of a bar.
  void close();

private:
  [[nodiscard]] bool is_due(const build_progress& progress, time_point now);
  void write(const build_progress& progress, double seconds);

  std::ostream* out_;
  progress_style style_;
  std::uint64_t total_files_;
  std::optional<time_point> started_;
  std::optional<time_point> last_;
  int tenths_ = 0; ///< that are written
  bool line_is_open_ = false;
};

/// The printer as an actor; closes its line when it ends.
class progress_state {
public:
  ~progress_state() {
    if (printer_)
      printer_->close();
  }

  void init(const progress_printer& printer, progress_actor::pointer self);

  void report(const build_progress& progress) {
    printer_->report(progress, self_->clock().now());
  }

private:
  std::optional<progress_printer> printer_;
  progress_actor::pointer self_ = nullptr;
};

progress_actor::behavior_type progress_meter(progress_actor::stateful_pointer<progress_state> self,
                                             progress_printer printer);

} // namespace text_index

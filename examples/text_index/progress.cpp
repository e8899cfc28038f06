// Shows how far the work is, as a bar or in lines, no more often than is worth reading.

#include "progress.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "printable.hpp"

namespace text_index {

namespace {

constexpr std::size_t bar_columns = 30;

std::chrono::milliseconds interval_of(progress_style style) {
  using namespace std::chrono_literals;
  return style == progress_style::bar ? 50ms : 1000ms;
}

double share_of(std::uint64_t done, std::uint64_t total) {
  return total == 0 ? 1.0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
}

std::string bar_of(double share) {
  auto filled = static_cast<std::size_t>(share * static_cast<double>(bar_columns));
  return std::string(filled, '#') + std::string(bar_columns - filled, '.');
}

} // namespace

void progress_printer::report(const build_progress& progress, time_point now) {
  if (!started_)
    started_ = now;
  if (!is_due(progress, now))
    return;
  last_ = now;
  write(progress, std::chrono::duration<double>(now - *started_).count());
}

bool progress_printer::is_due(const build_progress& progress, time_point now) {
  auto done = progress.files + progress.skipped;
  if (style_ == progress_style::steps) {
    auto tenths = static_cast<int>(share_of(done, total_files_) * 10);
    return std::exchange(tenths_, std::max(tenths_, tenths)) < tenths;
  }
  return !last_ || now - *last_ >= interval_of(style_) || done >= total_files_;
}

void progress_printer::write(const build_progress& progress, double seconds) {
  auto share = share_of(progress.files + progress.skipped, total_files_);
  auto text = fmt::format("{:3.0f} %  {} of {}, {}", share * 100, grouped(progress.files),
                          counted(total_files_, "file", "files"),
                          size_text(static_cast<double>(progress.bytes)));
  if (seconds > 0)
    text += fmt::format(", {}/s", size_text(static_cast<double>(progress.bytes) / seconds));
  if (style_ == progress_style::bar) {
    // Erases what a longer line before it left.
    *out_ << "\r[" << bar_of(share) << "] " << text << "\x1b[K" << std::flush;
    line_is_open_ = true;
  } else {
    *out_ << text << std::endl;
  }
}

void progress_printer::close() {
  if (line_is_open_)
    *out_ << std::endl;
  line_is_open_ = false;
}

void progress_state::init(const progress_printer& printer, progress_actor::pointer self) {
  printer_ = printer;
  self_ = self;
}

progress_actor::behavior_type progress_meter(progress_actor::stateful_pointer<progress_state> self,
                                             progress_printer printer) {
  auto& state = self->state;
  state.init(printer, self);
  return {
    [&state](const build_progress& progress) { state.report(progress); },
  };
}

} // namespace text_index

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace mobula::command {

/// Closes a descriptor at its end. -1 stands for none.
class owned_descriptor {
public:
  explicit owned_descriptor(int handle = -1) : handle_(handle) {
    // nop
  }

  owned_descriptor(const owned_descriptor&) = delete;
  owned_descriptor& operator=(const owned_descriptor&) = delete;

  ~owned_descriptor() {
    reset();
  }

  [[nodiscard]] int get() const {
    return handle_;
  }

  void reset(int handle = -1);

  /// Leaves the descriptor to the caller.
  [[nodiscard]] int release() {
    return std::exchange(handle_, -1);
  }

private:
  int handle_;
};

/// A file that lines go to, such as a terminal or a pipe, which may be slow or read by nobody. It
/// is never waited for: what it does not take is kept.
class line_sink {
public:
  /// The descriptor stays the caller's.
  explicit line_sink(int file) : file_(file) {
    // nop
  }

  /// Keeps a line, which ends with the text, to be written.
  void add(std::string_view text);

  /// Writes what the file takes without waiting. A file that takes no more for good, such as a pipe
  /// without a reader, loses all lines from then on.
  void write();

  /// More is not to be added, as far as that can be put off.
  [[nodiscard]] bool full() const;

  [[nodiscard]] bool empty() const {
    return kept_.empty();
  }

  /// The descriptor to watch for writing; -1 if there is nothing to write.
  [[nodiscard]] int awaited() const {
    return kept_.empty() ? -1 : file_;
  }

private:
  int file_;
  std::string kept_;
  bool broken_ = false;
};

/// Lines of a pipe, passed on to a sink behind a prefix. What comes without an end of line is held
/// back until it has one, so that lines of several processes do not mix.
class prefixed_lines {
public:
  /// Takes over the pipe's end. The sink has to outlive this.
  prefixed_lines(int pipe, line_sink& sink, std::string prefix);

  /// Passes on some of what has come, so that one that never stops leaves time for others. Closes
  /// the pipe if nothing will come any more.
  void read();

  /// Passes on what has come until now, with or without an end of line, and closes the pipe.
  void finish();

  /// The pipe to watch for reading; -1 if it is closed, or while the sink has enough.
  [[nodiscard]] int awaited() const {
    return sink_.full() ? -1 : pipe_.get();
  }

private:
  /// Returns how many bytes came: 0 at the end, -1 if there are none now.
  std::ptrdiff_t read_once();
  void pass_on(std::string_view bytes);
  void end_line();

  owned_descriptor pipe_;
  line_sink& sink_;
  std::string prefix_;
  std::string rest_; ///< of a line that has not ended
};

} // namespace mobula::command

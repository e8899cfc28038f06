// Lines on their way from processes to the terminal, without waiting for either.

#include "line_output.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace mobula::command {

namespace {

/// More in one line is passed on in pieces.
constexpr std::size_t max_line_bytes = std::size_t{64} << 10U;

/// Processes that write more than the file takes wait, as they would without us.
constexpr std::size_t max_kept_bytes = std::size_t{64} << 10U;

/// Returns how much of the text a pipe takes as a whole: lines, if one fits.
std::size_t next_piece(std::string_view text) {
  if (text.size() <= PIPE_BUF)
    return text.size();
  auto end = text.rfind('\n', PIPE_BUF - 1);
  return end == std::string_view::npos ? PIPE_BUF : end + 1;
}

/// Returns whether a write of up to `PIPE_BUF` bytes would not wait, or would fail.
bool takes_more(int file) {
  pollfd watched{.fd = file, .events = POLLOUT, .revents = 0};
  return poll(&watched, 1, 0) > 0;
}

} // namespace

void owned_descriptor::reset(int handle) {
  if (handle_ >= 0)
    close(handle_);
  handle_ = handle;
}

// -- sinks ----------------------------------------------------------------------------------------

void line_sink::add(std::string_view text) {
  if (broken_)
    return;
  kept_ += text;
  kept_ += '\n';
}

void line_sink::write() {
  while (!kept_.empty() && takes_more(file_)) {
    auto count = ::write(file_, kept_.data(), next_piece(kept_));
    if (count >= 0) {
      kept_.erase(0, static_cast<std::size_t>(count));
      continue;
    }
    if (errno == EINTR)
      continue;
    if (errno == EAGAIN)
      return;
    broken_ = true;
    kept_.clear();
  }
}

bool line_sink::full() const {
  return kept_.size() >= max_kept_bytes;
}

// -- lines of a pipe ------------------------------------------------------------------------------

prefixed_lines::prefixed_lines(int pipe, line_sink& sink, std::string prefix)
  : pipe_(pipe), sink_(sink), prefix_(std::move(prefix)) {
  fcntl(pipe, F_SETFL, fcntl(pipe, F_GETFL) | O_NONBLOCK);
}

void prefixed_lines::read() {
  if (awaited() >= 0 && read_once() == 0)
    finish();
}

void prefixed_lines::finish() {
  if (pipe_.get() < 0)
    return;
  // No more than is there now: who holds the other end may write for ever.
  int left = 0;
  ioctl(pipe_.get(), FIONREAD, &left);
  while (left > 0) {
    auto count = read_once();
    if (count <= 0)
      break;
    left -= static_cast<int>(count);
  }
  pipe_.reset();
  if (!rest_.empty())
    end_line();
}

std::ptrdiff_t prefixed_lines::read_once() {
  std::array<char, 16384> buffer;
  for (;;) {
    auto count = ::read(pipe_.get(), buffer.data(), buffer.size());
    if (count > 0)
      pass_on({buffer.data(), static_cast<std::size_t>(count)});
    if (count >= 0)
      return count;
    if (errno != EINTR)
      return errno == EAGAIN ? -1 : 0;
  }
}

void prefixed_lines::pass_on(std::string_view bytes) {
  while (!bytes.empty()) {
    auto length = std::min(bytes.find('\n'), bytes.size());
    auto taken = std::min(length, max_line_bytes - rest_.size());
    rest_ += bytes.substr(0, taken);
    bytes.remove_prefix(taken);
    auto ends = !bytes.empty() && bytes.front() == '\n';
    if (ends)
      bytes.remove_prefix(1);
    if (ends || rest_.size() == max_line_bytes)
      end_line();
  }
}

void prefixed_lines::end_line() {
  sink_.add(prefix_ + rest_);
  rest_.clear();
}

} // namespace mobula::command

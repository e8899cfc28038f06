// Lets a server wait for SIGINT and SIGTERM. How these are noted is in signal_state.cpp.

#include "mobula/stop_signal.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>
#include <system_error>

#include <poll.h>
#include <unistd.h>

#include "mobula/runtime/reading.hpp"
#include "mobula/runtime/signal_state.hpp"
#include "mobula/runtime/worker_thread.hpp"
#include "mobula/serialization/error.hpp"

namespace mobula {

using namespace internal;

namespace {

[[noreturn]] void refuse(std::string text) {
  throw object_error{{.type = error_type::invalid_argument, .message = std::move(text)}};
}

/// Polls no longer than a number of milliseconds can say; the caller asks again.
int poll_milliseconds(std::chrono::steady_clock::time_point due) {
  using std::chrono::milliseconds;
  auto left = std::chrono::ceil<milliseconds>(due - std::chrono::steady_clock::now());
  return static_cast<int>(
    std::clamp<milliseconds::rep>(left.count(), 0, std::numeric_limits<int>::max()));
}

/// Returns the end of time for what is beyond it.
std::chrono::steady_clock::time_point due_after(std::chrono::nanoseconds limit) {
  auto now = std::chrono::steady_clock::now();
  constexpr auto never = std::chrono::steady_clock::time_point::max();
  return limit >= never - now ? never : now + limit;
}

} // namespace

stop_signal::stop_signal() : home_(::getpid()) {
  try {
    hold_signals(signal_holder::application);
  } catch (const std::system_error& error) {
    refuse(error.what());
  }
}

stop_signal::~stop_signal() {
  if (home_ == ::getpid())
    release_signals(signal_holder::application);
}

void stop_signal::require_waitable() const {
  if (home_ != ::getpid())
    refuse("this stop_signal is of the process that forked this one, where signals go their usual "
           "way; make another one here");
  require_may_block("stop_signal::wait", "a thread that tells it of the signal");
}

int stop_signal::wait() const {
  return wait_for(std::chrono::nanoseconds::max()).value();
}

std::optional<int> stop_signal::wait_for(time_span limit) const {
  if (limit.count() < 0)
    refuse_limit(limit);
  require_waitable();
  auto due = due_after(limit);
  for (;;) {
    if (auto number = received_signal())
      return number;
    // Read once: a signal that interrupts this is there when it is asked for above.
    auto milliseconds = poll_milliseconds(due);
    if (milliseconds == 0)
      return std::nullopt;
    pollfd asked{.fd = signal_event(), .events = POLLIN, .revents = 0};
    static_cast<void>(::poll(&asked, 1, milliseconds));
  }
}

std::optional<int> stop_signal::received() const noexcept {
  return home_ == ::getpid() ? received_signal() : std::nullopt;
}

} // namespace mobula

// How SIGINT and SIGTERM are noted. The handler only stores which signal came and when, and makes a
// file descriptor readable: hardly anything else is allowed in one, and threads can poll that.
//
// *Twice at once.* `timeout` sends its signal to a process and then to the process's group, a
// terminal sends Ctrl-C to a whole group of which one process may pass it on. So what comes right
// after the first signal is taken for the same demand.
//
// *fork.* A child inherits handler and file descriptor, but has no thread that polls it, and what
// it writes would be its parent's signal. A handler that runs in another process than the one that
// installed it does what the signal does by default.

#include "mobula/runtime/signal_state.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <mutex>
#include <system_error>

#include <sys/eventfd.h>
#include <unistd.h>

namespace mobula::internal {

namespace {

constexpr std::array<int, 2> stopping_signals{SIGINT, SIGTERM};

/// Longer than one demand takes to arrive twice, shorter than a user takes to press a key again.
constexpr std::int64_t same_demand_ms = 250;

/// The first signal: its time in milliseconds, shifted by a byte, and its number; 0 if none came.
/// One word, since two handlers may run at once. Written by handlers, and by the first holder.
std::atomic<std::int64_t> first_signal = 0;

/// What handlers write to; made once in a process and kept, as a handler may be about to use it.
std::atomic<int> event = -1;

/// The process that installed the handlers.
std::atomic<pid_t> home = 0;

static_assert(std::atomic<std::int64_t>::is_always_lock_free
              && std::atomic<int>::is_always_lock_free && std::atomic<pid_t>::is_always_lock_free);

std::int64_t now_ms() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

/// Returns whether there is nothing more to do about a signal.
bool note(int number) noexcept {
  std::int64_t first = 0;
  auto now = now_ms();
  if (first_signal.compare_exchange_strong(first, (now << 8U) | number)) {
    std::uint64_t one = 1;
    static_cast<void>(::write(event.load(), &one, sizeof(one)) == sizeof(one));
    return true;
  }
  return now - (first >> 8U) < same_demand_ms;
}

} // namespace

extern "C" {

static void mobula_on_stopping_signal(int number) {
  auto saved = errno;
  auto noted = ::getpid() == home.load() && note(number);
  if (!noted) {
    // It is blocked while this runs, and takes effect at the end.
    std::signal(number, SIG_DFL);
    std::raise(number);
  }
  errno = saved;
}

} // extern "C"

namespace {

struct holders {
  std::mutex mutex;
  int runtime = 0;
  int application = 0;
  std::array<bool, stopping_signals.size()> installed{};

  int& count(signal_holder who) noexcept {
    return who == signal_holder::runtime ? runtime : application;
  }
};

holders& all_holders() noexcept {
  // Never destroyed: a static of the application's may hold signals until the very end.
  static auto* result = new holders;
  return *result;
}

void make_event() {
  auto made = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (made < 0)
    throw std::system_error{errno, std::generic_category(),
                            "cannot wait for signals: no file descriptor"};
  event = made;
}

void forget_signal() noexcept {
  std::uint64_t ignored = 0;
  static_cast<void>(::read(event.load(), &ignored, sizeof(ignored)) == sizeof(ignored));
  first_signal = 0;
}

void install(holders& all) noexcept {
  for (std::size_t index = 0; index < stopping_signals.size(); ++index) {
    struct sigaction present {};
    ::sigaction(stopping_signals[index], nullptr, &present);
    all.installed[index] = present.sa_handler == SIG_DFL;
    if (!all.installed[index])
      continue;
    // System calls are interrupted: `pause` and reads of a terminal return, as without us.
    struct sigaction ours {};
    ours.sa_handler = mobula_on_stopping_signal;
    ::sigaction(stopping_signals[index], &ours, nullptr);
  }
}

void uninstall(holders& all) noexcept {
  for (std::size_t index = 0; index < stopping_signals.size(); ++index) {
    struct sigaction present {};
    ::sigaction(stopping_signals[index], nullptr, &present);
    // The application may have set its own meanwhile.
    if (all.installed[index] && present.sa_handler == mobula_on_stopping_signal)
      std::signal(stopping_signals[index], SIG_DFL);
    all.installed[index] = false;
  }
}

} // namespace

void hold_signals(signal_holder who) {
  auto& all = all_holders();
  std::unique_lock guard{all.mutex};
  if (home != ::getpid()) {
    // The holders of a parent are not those of its forked child, which inherited its handlers.
    make_event();
    uninstall(all);
    all.runtime = 0;
    all.application = 0;
    home = ::getpid();
  }
  if (all.runtime + all.application == 0) {
    forget_signal();
    install(all);
  }
  ++all.count(who);
}

void release_signals(signal_holder who) noexcept {
  auto& all = all_holders();
  std::unique_lock guard{all.mutex};
  --all.count(who);
  if (all.runtime + all.application == 0)
    uninstall(all);
}

bool application_holds_signals() noexcept {
  auto& all = all_holders();
  std::unique_lock guard{all.mutex};
  return all.application > 0;
}

std::optional<int> received_signal() noexcept {
  auto first = first_signal.load();
  if (first == 0)
    return std::nullopt;
  return static_cast<int>(first & 0xff);
}

int signal_event() noexcept {
  return event.load();
}

} // namespace mobula::internal

// Runs an application's function around a node: a signal has the node leave and shut down, and what
// has not ended in time is left behind.

#include "mobula/runtime/program_run.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <system_error>

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "mobula/runtime/cluster_leaving.hpp"
#include "mobula/runtime/option_ranges.hpp"
#include "mobula/runtime/signal_state.hpp"

namespace mobula::internal {

namespace {

/// What ends at once says nothing.
constexpr std::chrono::seconds quiet_time{1};

/// Writes what the program has printed so far, unless a thread is in the middle of printing, which
/// may take for ever.
void flush_output() {
  if (::ftrylockfile(stdout) != 0)
    return;
  ::fflush_unlocked(stdout);
  ::funlockfile(stdout);
}

} // namespace

void print_current_exception() {
  try {
    throw;
  } catch (const object_error& error) {
    std::cerr << to_string(error.info()) << '\n';
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
  } catch (...) {
    std::cerr << "the program ended with an exception that is no std::exception\n";
  }
}

program_run::program_run(std::chrono::nanoseconds stop_limit)
  : stop_limit_(stop_limit), over_event_(::eventfd(0, EFD_CLOEXEC)) {
  try {
    if (over_event_ < 0)
      throw std::system_error{errno, std::generic_category(), "no file descriptor is left"};
    hold_signals(signal_holder::runtime);
  } catch (const std::system_error& error) {
    if (over_event_ >= 0)
      ::close(over_event_);
    throw object_error{{.type = error_type::invalid_argument, .message = error.what()}};
  }
}

program_run::~program_run() {
  release_signals(signal_holder::runtime);
  ::close(over_event_);
}

int program_run::exit_code(int code) const noexcept {
  auto number = received_signal();
  return number ? 128 + *number : code;
}

// -- the program's thread -------------------------------------------------------------------------

int program_run::run(node& owner, cluster& network, const std::function<int()>& body) {
  std::thread stopper{[this, core = core_pointer{&owner.core()}] {
    stop_on_signal(*core);
  }};
  auto result = run_body(owner, network, body);
  enter(phase::returned);
  owner.system().await_all_actors_done();
  enter(phase::over);
  stopper.join();
  return result;
}

int program_run::run_body(node& owner, cluster& network, const std::function<int()>& body) {
  auto result = EXIT_FAILURE;
  try {
    network.follow_options();
    network.offer();
    result = received_signal() ? EXIT_SUCCESS : body();
  } catch (...) {
    // After a signal, that the node is shutting down is no news.
    if (!owner.core().at_home() || !received_signal())
      print_current_exception();
    // Actors may wait for what the function was to do: it ends with the node.
    leave_cluster_of(owner.core());
    owner.core().shut_down();
  }
  // An actor system cannot be destroyed in a forked child: its threads stayed with the parent.
  if (!owner.core().at_home())
    std::exit(result);
  return result;
}

void program_run::enter(phase next) {
  std::unique_lock guard{mutex_};
  phase_ = next;
  phase_changed_.notify_all();
  if (next != phase::over)
    return;
  std::uint64_t one = 1;
  static_cast<void>(::write(over_event_, &one, sizeof(one)) == sizeof(one));
}

// -- the thread that waits for signals ------------------------------------------------------------

void program_run::stop_on_signal(node_core& core) {
  if (!await_signal())
    return;
  // It ends by itself, and may need the node for that, for as long as it takes.
  if (application_holds_signals())
    static_cast<void>(await_phase(phase::returned, std::chrono::nanoseconds::max()));
  leave_cluster_of(core);
  core.shut_down();
  await_end_of(core);
}

/// Returns false if the program is over first.
bool program_run::await_signal() const {
  for (;;) {
    std::array<pollfd, 2> asked{pollfd{.fd = signal_event(), .events = POLLIN, .revents = 0},
                                pollfd{.fd = over_event_, .events = POLLIN, .revents = 0}};
    if (::poll(asked.data(), asked.size(), -1) < 0)
      continue;
    if (asked[1].revents != 0)
      return false;
    if (received_signal())
      return true;
  }
}

bool program_run::await_phase(phase reached, std::chrono::nanoseconds limit) {
  std::unique_lock guard{mutex_};
  auto is_there = [&] {
    return phase_ >= reached;
  };
  // What is too long for a clock is without end.
  if (limit > std::chrono::hours{24 * 365}) {
    phase_changed_.wait(guard, is_there);
    return true;
  }
  return phase_changed_.wait_for(guard, limit, is_there);
}

/// REQUIRES: the node has shut down.
void program_run::await_end_of(node_core& core) {
  auto quiet = std::min<std::chrono::nanoseconds>(quiet_time, stop_limit_);
  if (await_phase(phase::over, quiet))
    return;
  if (stop_limit_ > quiet)
    std::cerr << fmt::format("mobula: node {} has shut down; waiting up to {} for {}\n",
                             to_string(core.incarnation()), show_time(stop_limit_),
                             await_phase(phase::returned, {}) ? "actors that still run"
                                                              : "the program's function");
  if (!await_phase(phase::over, stop_limit_ - quiet))
    leave_behind();
}

void program_run::leave_behind() const {
  std::cerr << fmt::format("mobula: the program did not end within {}, and exits as it is\n",
                           show_time(stop_limit_));
  flush_output();
  ::_exit(exit_code(EXIT_FAILURE));
}

} // namespace mobula::internal

// Carries out what `launch_plan` decides: starts processes, sends signals, keeps timers.

#include "launch.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child_process.hpp"
#include "launch_plan.hpp"

namespace mobula::command {

namespace {

using std::chrono::steady_clock;

/// A port of this host's that nobody uses. Somebody else may take it before the node does, which
/// then fails and is started again, with another.
std::uint16_t free_port() {
  auto fail = [] {
    throw std::system_error(errno, std::generic_category(), "found no free port");
  };
  auto handle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (handle < 0)
    fail();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* where = reinterpret_cast<sockaddr*>(&address);
  auto found = bind(handle, where, size) == 0 && getsockname(handle, where, &size) == 0;
  close(handle);
  if (!found)
    fail();
  return ntohs(address.sin_port);
}

/// Has the signals that concern a launch arrive at a descriptor.
class signal_queue {
public:
  signal_queue() {
    sigset_t set;
    sigemptyset(&set);
    for (auto number : {SIGCHLD, SIGINT, SIGTERM, SIGHUP})
      sigaddset(&set, number);
    sigprocmask(SIG_BLOCK, &set, &before_);
    handle_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (handle_ < 0)
      throw std::system_error(errno, std::generic_category(), "cannot wait for signals");
    // Who reads our output may go before the nodes do.
    std::signal(SIGPIPE, SIG_IGN);
  }

  signal_queue(const signal_queue&) = delete;
  signal_queue& operator=(const signal_queue&) = delete;

  ~signal_queue() {
    close(handle_);
    sigprocmask(SIG_SETMASK, &before_, nullptr);
  }

  [[nodiscard]] int handle() const {
    return handle_;
  }

  /// Returns the next signal; 0 if there is none.
  [[nodiscard]] int take() const {
    signalfd_siginfo info{};
    return read(handle_, &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
  }

private:
  int handle_ = -1;
  sigset_t before_{};
};

launch_limits limits_of(const launch_options& options) {
  launch_limits result{.nodes = options.nodes, .restarts = options.restarts};
  result.first_delay = std::chrono::milliseconds{options.restart_delay_ms};
  result.stop_limit = std::chrono::milliseconds{options.stop_limit_ms};
  return result;
}

class launcher {
public:
  explicit launcher(const launch_options& options)
    : options_(options), plan_(limits_of(options)), nodes_(options.nodes) {
    // nop
  }

  int run() {
    carry_out(plan_.begin());
    while (!plan_.done()) {
      wait();
      take_signals();
      take_ends();
      take_timers();
    }
    return plan_.exit_code();
  }

private:
  struct node_process {
    std::uint16_t port = 0;
    std::optional<steady_clock::time_point> timer;
    std::unique_ptr<child_process> process; ///< null while none runs
  };

  // -- effects
  // -------------------------------------------------------------------------------------

  void carry_out(const launch_effects& effects) {
    for (const auto& effect : effects)
      std::visit([this](const auto& each) { carry_out(each); }, effect);
  }

  void carry_out(const start_process& effect) {
    auto& node = nodes_[effect.node];
    node.port = free_port();
    node.process =
      std::make_unique<child_process>(words_of(effect), fmt::format("[{}] ", effect.node));
    carry_out(say_line{fmt::format("node {} is process {}, and listens at 127.0.0.1:{}",
                                   effect.node, node.process->id(), node.port)});
  }

  void carry_out(const start_timer& effect) {
    nodes_[effect.node].timer = steady_clock::now() + effect.delay;
  }

  void carry_out(const ask_to_end& effect) {
    nodes_[effect.node].process->signal(SIGTERM);
  }

  void carry_out(const kill_process& effect) {
    nodes_[effect.node].process->signal(SIGKILL);
  }

  void carry_out(const say_line& effect) {
    fmt::print(stderr, "mobula: {}\n", effect.text);
  }

  /// The program's own arguments come last, and so count if they say something else.
  [[nodiscard]] std::vector<std::string> words_of(const start_process& effect) const {
    auto address = [this](std::size_t node) {
      return fmt::format("127.0.0.1:{}", nodes_[node].port);
    };
    std::vector<std::string> result{options_.program.front()};
    result.push_back("--mobula.listen=" + address(effect.node));
    if (effect.joins)
      result.push_back("--mobula.join=" + address(*effect.joins));
    // One thread alone would stand still while an actor blocks it.
    auto threads = std::max<std::size_t>(2, std::thread::hardware_concurrency() / nodes_.size());
    result.push_back(fmt::format("--scheduler.max-threads={}", threads));
    if (!options_.options_file.empty())
      result.push_back("--config-file=" + options_.options_file);
    result.insert(result.end(), options_.program.begin() + 1, options_.program.end());
    return result;
  }

  // -- events
  // --------------------------------------------------------------------------------------

  /// Writes what processes say, until something else happens.
  void wait() {
    std::vector<pollfd> watched{{.fd = signals_.handle(), .events = POLLIN, .revents = 0}};
    for (const auto& node : nodes_)
      if (node.process)
        for (auto* lines : {&node.process->output(), &node.process->errors()})
          watched.push_back({.fd = lines->pipe(), .events = POLLIN, .revents = 0});
    poll(watched.data(), watched.size(), time_to_wait());
    for (const auto& node : nodes_)
      if (node.process)
        for (auto* lines : {&node.process->output(), &node.process->errors()})
          lines->read();
  }

  /// Returns the milliseconds until the next timer; -1 if there is none.
  [[nodiscard]] int time_to_wait() const {
    std::optional<steady_clock::time_point> next;
    for (const auto& node : nodes_)
      if (node.timer && (!next || *node.timer < *next))
        next = node.timer;
    if (!next)
      return -1;
    auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - steady_clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }

  void take_signals() {
    while (auto number = signals_.take())
      if (number != SIGCHLD)
        carry_out(plan_.stop_requested(number));
  }

  void take_ends() {
    for (std::size_t index = 0; index < nodes_.size(); ++index) {
      auto& node = nodes_[index];
      auto end = node.process ? node.process->take_end() : std::nullopt;
      if (!end)
        continue;
      auto lived = node.process->lived();
      node.process = nullptr;
      carry_out(plan_.process_ended(index, *end, lived));
    }
  }

  void take_timers() {
    for (std::size_t index = 0; index < nodes_.size(); ++index)
      if (auto& timer = nodes_[index].timer; timer && *timer <= steady_clock::now()) {
        timer.reset();
        carry_out(plan_.timer_expired(index));
      }
  }

  const launch_options& options_;
  launch_plan plan_;
  signal_queue signals_;
  std::vector<node_process> nodes_;
};

} // namespace

int launch(const launch_options& options) {
  return launcher{options}.run();
}

} // namespace mobula::command

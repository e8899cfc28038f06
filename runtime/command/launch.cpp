// Carries out what `launch_plan` decides: starts processes, sends signals, keeps timers.

#include "launch.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mobula/actors/caf/caf_options.hpp"

#include "child_process.hpp"
#include "launch_plan.hpp"
#include "line_output.hpp"

namespace mobula::command {

namespace {

using std::chrono::steady_clock;

/// A port of this host's that nobody uses, and that the system gives to nobody while this lives: it
/// is bound to it, but does not listen, so that the node, which allows ports to be reused, can. A
/// program that insists on this very port may still take it; the node then fails, and is started
/// again with another.
class held_port {
public:
  held_port() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* where = reinterpret_cast<sockaddr*>(&address);
    const int reuse = 1;
    if (socket_.get() < 0
        || setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse) != 0
        || bind(socket_.get(), where, size) != 0 || getsockname(socket_.get(), where, &size) != 0)
      throw std::system_error(errno, std::generic_category(), "found no free port");
    number_ = ntohs(address.sin_port);
  }

  [[nodiscard]] std::uint16_t number() const {
    return number_;
  }

private:
  owned_descriptor socket_;
  std::uint16_t number_ = 0;
};

/// Pipes and sockets must not be taken for the standard input and outputs, where those are closed.
void open_standard_descriptors() {
  int handle = -1;
  do
    handle = open("/dev/null", O_RDWR);
  while (handle >= 0 && handle <= STDERR_FILENO);
  owned_descriptor last{handle};
}

/// Returns whether this process was started so that it lives on without its terminal, as by
/// `nohup`.
bool outlives_its_terminal() {
  struct sigaction present {};
  return sigaction(SIGHUP, nullptr, &present) == 0 && present.sa_handler == SIG_IGN;
}

/// Has the signals that concern a launch arrive at a descriptor.
class signal_queue {
public:
  signal_queue() {
    sigset_t set;
    sigemptyset(&set);
    // Also if it is ignored: shells ignore SIGINT for what scripts run in the background, to whom
    // it is sent on purpose then.
    for (auto number : {SIGCHLD, SIGINT, SIGTERM})
      sigaddset(&set, number);
    // One that is blocked arrives although it is ignored.
    if (!outlives_its_terminal())
      sigaddset(&set, SIGHUP);
    // The parent process may have ignored it, and then nobody would learn how processes ended.
    std::signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_BLOCK, &set, &before_);
    handle_.reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (handle_.get() < 0)
      throw std::system_error(errno, std::generic_category(), "cannot wait for signals");
    // The reader of our output may end before the nodes do.
    std::signal(SIGPIPE, SIG_IGN);
  }

  signal_queue(const signal_queue&) = delete;
  signal_queue& operator=(const signal_queue&) = delete;

  ~signal_queue() {
    sigprocmask(SIG_SETMASK, &before_, nullptr);
  }

  [[nodiscard]] int handle() const {
    return handle_.get();
  }

  /// Returns the next signal; 0 if there is none.
  [[nodiscard]] int take() const {
    signalfd_siginfo info{};
    return read(handle_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo)
                                                                  : 0;
  }

private:
  owned_descriptor handle_;
  sigset_t before_{};
};

launch_limits limits_of(const launch_options& options) {
  launch_limits result{.nodes = options.nodes, .restarts = options.restarts};
  result.first_delay = std::chrono::milliseconds{options.restart_delay_ms};
  result.stop_limit = std::chrono::milliseconds{options.stop_limit_ms};
  return result;
}

/// Returns whether the file says how many threads a node's scheduler has: what the command line
/// says would count more. Throws if there is no such file, which CAF takes for an empty one.
bool sets_threads(const std::string& options_file) {
  if (options_file.empty())
    return false;
  std::ifstream file{options_file};
  std::string line;
  auto result = false;
  while (std::getline(file, line)) {
    line.erase(0, std::min(line.find_first_not_of(" \t"), line.size()));
    result =
      result || line.starts_with("max-threads") || line.starts_with(caf_options::scheduler_threads);
  }
  if (!file.eof())
    throw std::system_error(errno, std::generic_category(), "cannot read " + options_file);
  return result;
}

class launcher {
public:
  explicit launcher(const launch_options& options)
    : options_(options), file_sets_threads_(sets_threads(options.options_file)),
      plan_(limits_of(options)), nodes_(options.nodes) {
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
    write_rest();
    return plan_.exit_code();
  }

private:
  struct node_process {
    std::optional<held_port> port;
    std::optional<steady_clock::time_point> timer;
    std::unique_ptr<child_process> process; ///< null while none runs
    bool has_run = false;
  };

  // -- effects ------------------------------------------------------------------------------------

  void carry_out(const launch_effects& effects) {
    for (const auto& effect : effects)
      std::visit([this](const auto& each) { carry_out(each); }, effect);
  }

  /// Throws if the program has never run: it will not by itself. Later it may be missing for a
  /// while only, such as one that is built anew.
  void carry_out(const start_process& effect) {
    auto& node = nodes_[effect.node];
    try {
      node.port.emplace();
      node.process = std::make_unique<child_process>(setup_of(effect), output_, errors_);
    } catch (const std::system_error& error) {
      if (!node.has_run)
        throw;
      node.port.reset();
      return carry_out(plan_.start_failed(effect.node, error.what()));
    }
    node.has_run = true;
    carry_out(say_line{fmt::format("node {} is process {}, and listens at {}", effect.node,
                                   node.process->id(), address_of(effect.node))});
  }

  void carry_out(const start_timer& effect) {
    nodes_[effect.node].timer = steady_clock::now() + effect.delay;
  }

  void carry_out(const ask_to_end& effect) {
    // One that is stopped could not hear it.
    for (auto number : {SIGTERM, SIGCONT})
      nodes_[effect.node].process->signal(number);
  }

  void carry_out(const kill_process& effect) {
    nodes_[effect.node].process->signal(SIGKILL);
  }

  void carry_out(const say_line& effect) {
    errors_.add("mobula: " + effect.text);
  }

  [[nodiscard]] std::string address_of(std::size_t node) const {
    return fmt::format("127.0.0.1:{}", nodes_[node].port->number());
  }

  /// The program's own arguments come last, and so count if they say something else.
  [[nodiscard]] child_setup setup_of(const start_process& effect) const {
    std::vector<std::string> words{options_.program.front()};
    words.push_back("--mobula.listen=" + address_of(effect.node));
    if (effect.joins)
      words.push_back("--mobula.join=" + address_of(*effect.joins));
    // One thread alone would stand still while an actor blocks it.
    auto threads = std::max<std::size_t>(2, std::thread::hardware_concurrency() / nodes_.size());
    if (!file_sets_threads_)
      words.push_back(fmt::format("--scheduler.max-threads={}", threads));
    if (!options_.options_file.empty())
      words.push_back("--config-file=" + options_.options_file);
    words.insert(words.end(), options_.program.begin() + 1, options_.program.end());
    return {.words = std::move(words),
            .variables = {fmt::format("MOBULA_LAUNCH_NODE={}", effect.node),
                          fmt::format("MOBULA_LAUNCH_NODES={}", nodes_.size())},
            .prefix = fmt::format("[{}] ", effect.node)};
  }

  // -- events -------------------------------------------------------------------------------------

  [[nodiscard]] std::vector<prefixed_lines*> all_lines() {
    std::vector<prefixed_lines*> result;
    for (const auto& node : nodes_)
      if (node.process)
        result.insert(result.end(), {&node.process->output(), &node.process->errors()});
    return result;
  }

  /// Passes on what processes say, until something else happens.
  void wait() {
    std::vector<pollfd> watched{{.fd = signals_.handle(), .events = POLLIN, .revents = 0}};
    for (const auto* sink : {&output_, &errors_})
      watched.push_back({.fd = sink->awaited(), .events = POLLOUT, .revents = 0});
    auto lines = all_lines();
    for (const auto* each : lines)
      watched.push_back({.fd = each->awaited(), .events = POLLIN, .revents = 0});
    poll(watched.data(), watched.size(), time_to_wait());
    // Each in turn comes first, as what comes last may find the sinks full.
    if (!lines.empty())
      std::rotate(lines.begin(),
                  lines.begin() + static_cast<std::ptrdiff_t>(turn_++ % lines.size()), lines.end());
    for (auto* each : lines)
      each->read();
    for (auto* sink : {&output_, &errors_})
      sink->write();
  }

  /// Returns the milliseconds until the next timer; -1 if there is none.
  [[nodiscard]] int time_to_wait() const {
    std::optional<steady_clock::time_point> next;
    for (const auto& node : nodes_)
      if (node.timer && (!next || *node.timer < *next))
        next = node.timer;
    return next ? time_until(*next) : -1;
  }

  /// Returns the milliseconds as `poll` takes them.
  [[nodiscard]] static int time_until(steady_clock::time_point due) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(due - steady_clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }

  void take_signals() {
    while (auto number = signals_.take()) {
      if (number == SIGCHLD)
        continue;
      was_asked_ = true;
      carry_out(plan_.stop_requested(number));
    }
  }

  void take_ends() {
    for (std::size_t index = 0; index < nodes_.size(); ++index) {
      auto& node = nodes_[index];
      auto end = node.process ? node.process->take_end() : std::nullopt;
      if (!end)
        continue;
      auto lived = node.process->lived();
      node.process = nullptr;
      node.port.reset();
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

  /// Waits for whoever reads what was said: until a signal comes, or for a while if one came
  /// before.
  void write_rest() {
    const auto limit = steady_clock::now() + std::chrono::milliseconds{options_.stop_limit_ms};
    for (;;) {
      for (auto* sink : {&output_, &errors_})
        sink->write();
      if (output_.empty() && errors_.empty())
        return;
      std::array watched{pollfd{.fd = signals_.handle(), .events = POLLIN, .revents = 0},
                         pollfd{.fd = output_.awaited(), .events = POLLOUT, .revents = 0},
                         pollfd{.fd = errors_.awaited(), .events = POLLOUT, .revents = 0}};
      poll(watched.data(), watched.size(), was_asked_ ? time_until(limit) : -1);
      if (was_asked_ && steady_clock::now() >= limit)
        return;
      while (auto number = signals_.take())
        if (number != SIGCHLD)
          return;
    }
  }

  const launch_options& options_;
  const bool file_sets_threads_;
  launch_plan plan_;
  signal_queue signals_;
  line_sink output_{STDOUT_FILENO};
  line_sink errors_{STDERR_FILENO};
  std::vector<node_process> nodes_;
  std::size_t turn_ = 0;
  bool was_asked_ = false;
};

} // namespace

int launch(const launch_options& options) {
  open_standard_descriptors();
  return launcher{options}.run();
}

} // namespace mobula::command

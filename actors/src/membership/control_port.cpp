// The sockets of a control port, and the thread that waits for them. What is to become of a
// connection is decided by the stranger table. The bytes of a handshake are looked at and left in
// the socket (MSG_PEEK): CAF reads them as if it had accepted the connection itself. A socket
// counts as readable only when what is awaited is there (SO_RCVLOWAT), so that half a handshake
// does not wake the thread again and again.

#include "mobula/actors/membership/control_port.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <optional>
#include <span>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "mobula/serialization/counted.hpp"
#include "mobula/store/system/home_process.hpp"

namespace mobula {

namespace {

using steady = std::chrono::steady_clock;

/// Of lines for the log. What floods a port must not flood the disk.
constexpr std::chrono::seconds report_interval{10};

/// How long to wait when the system refuses to wait for all.
constexpr int poll_retry_ms = 100;

/// Strangers are looked at before more are accepted.
constexpr std::size_t max_accepted_at_once = 64;

} // namespace

class control_port::state {
public:
  state(owned_socket listener, owned_socket waker, const stranger_limits& limits)
    : listener_(std::move(listener)), waker_(std::move(waker)), port_(port_of(listener_)),
      table_(limits) {
    // nop
  }

  void start(taker take, reporter report) {
    std::unique_lock guard{thread_mutex_};
    if (stopped_)
      return;
    take_ = std::move(take);
    reports_.emplace(std::move(report));
    thread_ = std::thread{[this] {
      run();
    }};
  }

  void stop() {
    // Threads do not follow a process into its child, and one of them may have had the mutex.
    if (!home_.is_this()) {
      if (thread_.joinable())
        thread_.detach();
      return;
    }
    std::unique_lock guard{thread_mutex_};
    stopped_ = true;
    if (!thread_.joinable()) {
      listener_ = owned_socket{-1};
      return;
    }
    ::eventfd_write(waker_.get(), 1);
    thread_.join();
  }

  [[nodiscard]] std::uint16_t port() const noexcept {
    return port_;
  }

private:
  /// Counts what is told too often.
  class bounded_reports {
  public:
    explicit bounded_reports(control_port::reporter report) : report_(std::move(report)) {
      // nop
    }

    void add(const std::string& line) {
      auto now = steady::now();
      if (last_ && now - *last_ < report_interval) {
        ++untold_;
        return;
      }
      last_ = now;
      auto untold = std::exchange(untold_, 0);
      report_(untold == 0 ? line
                          : fmt::format("{} ({} not logged since the last line)", line,
                                        counted(untold, "more was", "more were")));
    }

  private:
    control_port::reporter report_;
    std::optional<steady::time_point> last_;
    std::size_t untold_ = 0;
  };

  void run();
  void wait();
  void look_at(const pollfd& ready, stranger_id stranger, stranger_effects& effects);
  void accept(stranger_effects& effects);
  void carry_out(const stranger_effects& effects);
  void apply(const await_bytes& effect);
  void apply(const hand_over& effect);
  void apply(const close_stranger& effect);
  [[nodiscard]] int timeout_ms() const;

  owned_socket listener_;
  owned_socket waker_;
  std::uint16_t port_;
  home_process home_;
  stranger_table table_;
  taker take_;
  std::optional<bounded_reports> reports_;
  std::unordered_map<stranger_id, owned_socket> sockets_; ///< those of the table's strangers
  std::shared_ptr<std::atomic<std::size_t>> connections_ =
    std::make_shared<std::atomic<std::size_t>>(0); ///< handed over and open
  std::atomic<bool> stopped_{false};
  std::mutex thread_mutex_;
  std::thread thread_;
};

void control_port::state::run() {
  while (!stopped_)
    wait();
  sockets_.clear();
  listener_ = owned_socket{-1};
}

/// Handles what happens next.
void control_port::state::wait() {
  auto listens = table_.may_accept(steady::now());
  std::vector<pollfd> polled{
    {.fd = waker_.get(), .events = POLLIN, .revents = 0},
    {.fd = listens ? listener_.get() : -1, .events = POLLIN, .revents = 0}};
  std::vector<stranger_id> strangers;
  for (const auto& [stranger, socket] : sockets_) {
    polled.push_back({.fd = socket.get(), .events = POLLIN | POLLRDHUP, .revents = 0});
    strangers.push_back(stranger);
  }
  // Without memory for all of them, only the waker is waited for; patience ends all the same.
  if (::poll(polled.data(), polled.size(), timeout_ms()) < 0 && errno != EINTR)
    ::poll(polled.data(), 1, poll_retry_ms);
  stranger_effects effects;
  for (std::size_t index = 0; index < strangers.size(); ++index)
    if (polled[index + 2].revents != 0)
      look_at(polled[index + 2], strangers[index], effects);
  table_.time_passed(steady::now(), effects);
  // First: it frees descriptors.
  carry_out(std::exchange(effects, {}));
  if (polled[1].revents != 0)
    accept(effects);
  carry_out(effects);
}

int control_port::state::timeout_ms() const {
  auto now = steady::now();
  auto due = table_.next_deadline(now);
  if (!due)
    return -1;
  // Rounded up, or the thread would wake a little early, and do nothing, until it is time.
  auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - now);
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

void control_port::state::look_at(const pollfd& ready, stranger_id stranger,
                                  stranger_effects& effects) {
  std::array<std::byte, caf_header_bytes> header{};
  auto size = ::recv(ready.fd, header.data(), header.size(), MSG_PEEK | MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  int available = 0;
  if (size > 0 && ::ioctl(ready.fd, FIONREAD, &available) == 0)
    table_.readable(stranger, std::span{header}.first(static_cast<std::size_t>(size)),
                    static_cast<std::size_t>(available), effects);
  // Ignored by the table if the handshake was whole, or wrong.
  if (size <= 0 || (ready.revents & (POLLRDHUP | POLLERR | POLLHUP)) != 0)
    table_.ended(stranger, effects);
}

void control_port::state::accept(stranger_effects& effects) {
  for (std::size_t count = 0; count < max_accepted_at_once; ++count) {
    owned_socket socket{::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (socket.get() >= 0) {
      auto stranger = table_.arrived(steady::now(), connections_->load(), effects);
      sockets_.emplace(stranger, std::move(socket));
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK)
      return;
    if (errno == EINTR || errno == ECONNABORTED)
      continue;
    // The connection stays in the queue, and the socket readable: without a pause the thread would
    // try again at once, for as long as nobody closes anything.
    auto why = std::generic_category().message(errno);
    table_.descriptors_ran_out(steady::now());
    return reports_->add(fmt::format("the control port cannot accept connections: {}; it goes on "
                                     "trying",
                                     why));
  }
}

void control_port::state::carry_out(const stranger_effects& effects) {
  for (const auto& effect : effects)
    std::visit([this](const auto& content) { apply(content); }, effect);
}

void control_port::state::apply(const await_bytes& effect) {
  auto bytes = static_cast<int>(effect.count);
  ::setsockopt(sockets_.at(effect.stranger).get(), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes));
}

void control_port::state::apply(const hand_over& effect) {
  auto socket = std::move(sockets_.extract(effect.stranger).mapped());
  constexpr int any = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVLOWAT, &any, sizeof(any));
  ++*connections_;
  std::shared_ptr<const void> place{connections_.get(), [count = connections_](const void*) {
                                      --*count;
                                    }};
  take_({std::move(socket), std::move(place)});
}

void control_port::state::apply(const close_stranger& effect) {
  sockets_.erase(effect.stranger);
  reports_->add("the control port closed a connection that " + effect.why);
}

// -- control_port ---------------------------------------------------------------------------------

control_port::control_port(std::unique_ptr<state> content) : state_(std::move(content)) {
  // nop
}

std::variant<std::unique_ptr<control_port>, std::string>
control_port::open(const endpoint& where, const stranger_limits& limits) {
  auto listener = listen_at(where);
  if (auto* failure = std::get_if<std::string>(&listener))
    return std::move(*failure);
  owned_socket waker{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  // Without it the thread could not be told to end, and whoever stops the port would wait for ever.
  if (waker.get() < 0)
    return fmt::format("cannot listen at {}: {}; raise the limit on open files (ulimit -n)",
                       to_string(where), std::generic_category().message(errno));
  auto content =
    std::make_unique<state>(std::get<owned_socket>(std::move(listener)), std::move(waker), limits);
  return std::unique_ptr<control_port>{new control_port{std::move(content)}};
}

void control_port::start(taker take, reporter report) {
  state_->start(std::move(take), std::move(report));
}

control_port::~control_port() {
  stop();
}

void control_port::stop() {
  state_->stop();
}

std::uint16_t control_port::port() const noexcept {
  return state_->port();
}

} // namespace mobula

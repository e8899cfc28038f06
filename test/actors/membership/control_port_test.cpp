// A control port's sockets and what strangers do with them; nothing here knows CAF.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../contains.hpp"
#include "../../raw_socket.hpp"
#include "../caf/caf_handshake.hpp"
#include "mobula/actors/membership/control_port.hpp"
#include "sleeping_thread.hpp"

using namespace mobula;
using namespace mobula::test;
using namespace std::chrono_literals;

namespace {

/// A port on loopback, and what it lets through and says.
struct open_port {
  explicit open_port(const stranger_limits& limits = {}) {
    auto opened = control_port::open({"127.0.0.1", 0}, limits);
    port = std::get<std::unique_ptr<control_port>>(std::move(opened));
    port->start(
      [this](greeted_connection fresh) {
        std::unique_lock guard{mutex};
        taken.push_back(std::move(fresh));
        changed.notify_all();
      },
      [this](const std::string& line) {
        std::unique_lock guard{mutex};
        lines.push_back(line);
        changed.notify_all();
      });
  }

  ~open_port() {
    port->stop();
  }

  [[nodiscard]] raw_socket connect() const {
    return raw_socket::connect_to(port->port());
  }

  /// Connects as a node does, and returns when it was let through.
  raw_socket greet() {
    auto result = connect();
    auto before = count();
    result.send(caf_handshake{}.whole());
    std::unique_lock guard{mutex};
    changed.wait(guard, [&] { return taken.size() > before; });
    return result;
  }

  std::size_t count() {
    std::unique_lock guard{mutex};
    return taken.size();
  }

  std::string first_line() {
    std::unique_lock guard{mutex};
    changed.wait(guard, [&] { return !lines.empty(); });
    return lines.front();
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<greeted_connection> taken;
  std::vector<std::string> lines;
  std::unique_ptr<control_port> port;
};

/// Returns whether the other side closed, which this waits for.
bool is_closed(const raw_socket& socket) {
  std::byte byte{};
  return ::recv(socket.get(), &byte, 1, 0) <= 0;
}

/// Returns the processor time that this process has taken.
std::chrono::nanoseconds processor_time() {
  timespec taken{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &taken);
  return std::chrono::seconds{taken.tv_sec} + std::chrono::nanoseconds{taken.tv_nsec};
}

/// No new descriptors in this process until the end of the scope, but for so many.
class no_descriptors {
public:
  explicit no_descriptors(rlim_t spare = 0) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    auto next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(next);
    set(static_cast<rlim_t>(next) + spare);
  }

  ~no_descriptors() {
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }

private:
  void set(rlim_t count) const {
    auto fewer = before_;
    fewer.rlim_cur = count;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &fewer) == 0);
  }

  rlimit before_{};
};

} // namespace

TEST_CASE_FIXTURE(open_port, "a connection with a handshake is handed on, its bytes unread") {
  auto node = greet();
  std::vector<std::byte> bytes(caf_handshake{}.whole().size());
  raw_socket taken_over{taken.front().socket.release()};
  taken_over.receive_into(bytes);
  CHECK(bytes == caf_handshake{}.whole());
}

TEST_CASE_FIXTURE(open_port, "a handshake may come byte by byte") {
  auto node = connect();
  for (auto byte : caf_handshake{}.whole())
    node.send({&byte, 1});
  std::unique_lock guard{mutex};
  changed.wait(guard, [&] { return taken.size() == 1; });
}

TEST_CASE_FIXTURE(open_port, "32 bytes that announce four gigabytes are closed at once") {
  auto stranger = connect();
  stranger.send(caf_handshake{.announced_bytes = 0xFFFFFFFFU}.header());
  CHECK(is_closed(stranger));
  CHECK(contains(first_line(), "4294967295 bytes"));
  CHECK(count() == 0);
  greet();
}

TEST_CASE_FIXTURE(open_port, "bytes of another protocol are closed at once") {
  auto stranger = connect();
  std::string text = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  stranger.send(std::as_bytes(std::span{text}));
  CHECK(is_closed(stranger));
  CHECK(contains(first_line(), "did not begin with the handshake"));
}

TEST_CASE_FIXTURE(open_port, "half a header and then the end is closed") {
  auto stranger = connect();
  stranger.send(caf_handshake{}.half_header());
  ::shutdown(stranger.get(), SHUT_WR);
  CHECK(is_closed(stranger));
  CHECK(contains(first_line(), "ended before"));
}

TEST_CASE("who says nothing, and who says half a header, are closed when patience ends") {
  open_port place{{.patience = 50ms}};
  auto silent = place.connect();
  auto halting = place.connect();
  halting.send(caf_handshake{}.half_header());
  CHECK(is_closed(silent));
  CHECK(is_closed(halting));
  CHECK(contains(place.first_line(), "within 50 ms"));
  place.greet();
}

TEST_CASE("a flood of silent connections keeps no node out") {
  open_port place{{.max_strangers = 4, .patience = 1h}};
  std::vector<raw_socket> flood;
  for (int round = 0; round < 20; ++round) {
    for (int count = 0; count < 10; ++count)
      flood.push_back(place.connect());
    place.greet();
  }
  CHECK(place.count() == 20);
  // All but the last few are closed already; one line in the log says so for many.
  for (std::size_t index = 0; index + 10 < flood.size(); ++index)
    CHECK(is_closed(flood[index]));
  std::unique_lock guard{place.mutex};
  CHECK(place.lines.size() < flood.size() / 4);
}

TEST_CASE("connections that were handed on are counted until they are closed") {
  open_port place{{.max_connections = 1}};
  auto first = place.greet();
  auto refused = place.connect();
  CHECK(is_closed(refused));
  {
    std::unique_lock guard{place.mutex};
    place.taken.clear();
  }
  place.greet();
}

TEST_CASE_FIXTURE(open_port, "without descriptors a port pauses, and lets in who waited") {
  auto waiting = raw_socket{::socket(AF_INET, SOCK_STREAM, 0)};
  {
    no_descriptors none;
    waiting.connect(port->port());
    waiting.send(caf_handshake{}.whole());
    CHECK(contains(first_line(), "cannot accept connections"));
    CHECK(count() == 0);
  }
  std::unique_lock guard{mutex};
  changed.wait(guard, [&] { return taken.size() == 1; });
  // One line, not one for each try.
  CHECK(lines.size() == 1);
}

TEST_CASE("without descriptors a port does not try all the time, and lets in who waited") {
  open_port place{{.patience = 500ms}};
  auto silent = place.connect();
  auto node = place.greet(); // So the silent one was accepted, too.
  raw_socket waiting{::socket(AF_INET, SOCK_STREAM, 0)};
  no_descriptors none;
  auto before = processor_time();
  waiting.connect(place.port->port());
  waiting.send(caf_handshake{}.whole());
  // The end of its patience, half a second later, frees a descriptor.
  CHECK(is_closed(silent));
  CHECK(processor_time() - before < 250ms);
  std::unique_lock guard{place.mutex};
  place.changed.wait(guard, [&] { return place.taken.size() == 2; });
}

TEST_CASE("half a header does not wake a port again and again") {
  open_port place{{.patience = 500ms}};
  auto halting = place.connect();
  halting.send(caf_handshake{}.half_header());
  auto before = processor_time();
  CHECK(is_closed(halting));
  CHECK(processor_time() - before < 250ms);
}

TEST_CASE("a port that was stopped is free, closes who waits, and hands on nothing") {
  open_port place;
  auto stranger = place.connect();
  auto number = place.port->port();
  place.port->stop();
  CHECK(is_closed(stranger));
  auto again = control_port::open({"127.0.0.1", number}, {});
  CHECK(std::holds_alternative<std::unique_ptr<control_port>>(again));
}

TEST_CASE("a forked child does not wait for who stops the port in its parent") {
  std::promise<void> taken;
  std::promise<void> go_on;
  auto opened = control_port::open({"127.0.0.1", 0}, {});
  auto& port = *std::get<std::unique_ptr<control_port>>(opened);
  port.start(
    [&](greeted_connection) {
      taken.set_value();
      go_on.get_future().wait();
    },
    [](const std::string&) {});
  auto node = raw_socket::connect_to(port.port());
  node.send(caf_handshake{}.whole());
  taken.get_future().wait();
  std::atomic<pid_t> id{0};
  std::thread stopper{[&] {
    id = ::gettid();
    port.stop();
  }};
  while (!is_asleep(id))
    std::this_thread::yield();
  auto child = ::fork();
  if (child == 0) {
    ::alarm(10);
    port.stop();
    ::_exit(0);
  }
  int status = -1;
  CHECK(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  go_on.set_value();
  stopper.join();
}

TEST_CASE("a port that was stopped before it began does not begin") {
  auto opened = control_port::open({"127.0.0.1", 0}, {});
  auto& port = *std::get<std::unique_ptr<control_port>>(opened);
  auto waiting = raw_socket::connect_to(port.port());
  waiting.send(caf_handshake{}.whole());
  port.stop();
  CHECK(is_closed(waiting));
  port.start([](greeted_connection) { FAIL("it began"); }, [](const std::string&) {});
}

TEST_CASE("a port that is in use is refused with a remedy") {
  auto first = control_port::open({"127.0.0.1", 0}, {});
  auto number = std::get<std::unique_ptr<control_port>>(first)->port();
  auto second = control_port::open({"127.0.0.1", number}, {});
  REQUIRE(std::holds_alternative<std::string>(second));
  CHECK(contains(std::get<std::string>(second), "the port is in use; choose another, or 0"));
}

TEST_CASE("a port for which there are too few descriptors is refused, and not half open") {
  for (rlim_t spare : {0U, 1U}) {
    no_descriptors few{spare};
    auto opened = control_port::open({"127.0.0.1", 0}, {});
    REQUIRE(std::holds_alternative<std::string>(opened));
    CHECK(contains(std::get<std::string>(opened), "cannot listen at 127.0.0.1:0: Too many open"));
  }
  CHECK(std::holds_alternative<std::unique_ptr<control_port>>(
    control_port::open({"127.0.0.1", 0}, {})));
}

TEST_CASE("a port of all addresses is reached over IPv4") {
  auto opened = control_port::open({all_addresses(), 0}, {});
  auto& port = *std::get<std::unique_ptr<control_port>>(opened);
  auto node = raw_socket::connect_to(port.port());
}

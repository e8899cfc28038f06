// Connecting to others, by real sockets.

#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <variant>

#include <doctest/doctest.h>
#include <pthread.h>
#include <unistd.h>

#include "../../raw_socket.hpp"
#include "mobula/actors/membership/network_address.hpp"
#include "sleeping_thread.hpp"

using namespace mobula;
using namespace mobula::test;
using namespace std::chrono_literals;

namespace {

/// Listens, but has no place for another connection: who connects gets no answer.
struct full_listener {
  raw_socket listener = raw_socket::listen_anywhere();
  raw_socket first{::socket(AF_INET, SOCK_STREAM, 0)};

  full_listener() {
    REQUIRE(::listen(listener.get(), 0) == 0);
    first.connect(listener.port());
    while (!listener.has_caller())
      std::this_thread::yield();
  }
};

/// A signal that does nothing but interrupt.
class interrupting_signal {
public:
  interrupting_signal() {
    struct sigaction action {};
    action.sa_handler = [](int) {
    };
    REQUIRE(::sigaction(SIGUSR1, &action, &before_) == 0);
  }

  ~interrupting_signal() {
    ::sigaction(SIGUSR1, &before_, nullptr);
  }

private:
  struct sigaction before_ {};
};

} // namespace

TEST_CASE("a signal does not end the wait for a connection") {
  full_listener silent;
  interrupting_signal signal;
  std::atomic<pid_t> id{0};
  std::atomic<bool> ended{false};
  std::string why;
  std::thread dialer{[&] {
    id = ::gettid();
    auto outcome = connect_to({"127.0.0.1", silent.listener.port()}, 300ms);
    if (const auto* failure = std::get_if<address_failure>(&outcome))
      why = failure->text;
    ended = true;
  }};
  while (!ended && !is_asleep(id))
    std::this_thread::yield();
  ::pthread_kill(dialer.native_handle(), SIGUSR1);
  dialer.join();
  CHECK(why.find("timed out") != std::string::npos);
}

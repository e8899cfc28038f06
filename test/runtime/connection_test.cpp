// Connections between actor systems as this library makes them for CAF.

#include <string>
#include <thread>
#include <utility>

#include <caf/scoped_actor.hpp>

#include "../actors/caf/caf_handshake.hpp"
#include "../raw_socket.hpp"
#include "two_nodes.hpp"

using namespace mobula;

namespace {

struct limited_config : test::network_config {
  limited_config() {
    set("mobula.message-limit", std::string{"20MiB"});
  }
};

/// A node with an actor system of its own.
struct place {
  limited_config settings;
  caf::actor_system system{settings};
  node here{system};
  cluster at{here};
};

/// Two systems that are connected. An actor of the first gives back the texts that it gets.
struct two_systems {
  two_systems() {
    second.at.join("127.0.0.1", first.at.listen("127.0.0.1", 0));
    first.here.publish("echo", echo);
  }

  ~two_systems() {
    caf::anon_send_exit(echo, caf::exit_reason::user_shutdown);
  }

  /// Sends a text from the second system to the first, and returns what comes back; "lost" if the
  /// connection ends.
  std::string send(const std::string& text) {
    auto there = second.here.lookup_actor("echo", std::chrono::seconds{20});
    caf::scoped_actor self{second.system};
    self->monitor(there);
    self->send(there, text);
    std::string result;
    self->receive([&](std::string& answer) { result = std::move(answer); },
                  [&](const caf::down_msg&) { result = "lost"; });
    self->demonitor(there.address());
    return result;
  }

  place first;
  place second;
  caf::actor echo = first.system.spawn([](caf::event_based_actor*) {
    return caf::behavior{[](std::string& text) {
      return std::move(text);
    }};
  });
};

/// A node that dials who is none.
struct deceived_node : place {
  deceived_node() {
    at.listen("127.0.0.1", 0);
  }

  /// Joins in a thread of its own, which must fail with this text.
  [[nodiscard]] std::thread fail_to_join(std::string text) {
    return std::thread{[this, text = std::move(text)] {
      CHECK_THROWS_WITH_AS(at.join("127.0.0.1", listener.port()), doctest::Contains(text.c_str()),
                           object_error);
    }};
  }

  test::raw_socket listener = test::raw_socket::listen_anywhere();
};

/// A text in which no piece can be taken for another.
std::string long_text(std::size_t size) {
  std::string result;
  while (result.size() < size)
    result += std::to_string(result.size()) + ' ';
  result.resize(size);
  return result;
}

} // namespace

TEST_CASE_FIXTURE(two_systems, "messages of all sizes arrive whole and in order") {
  constexpr std::size_t piece = 1U << 20U;
  for (auto size : {std::size_t{0}, std::size_t{1}, piece - 1000, piece, piece + 1, 2 * piece,
                    5 * piece + 3, std::size_t{10}}) {
    auto text = long_text(size);
    CHECK(send(text) == text);
  }
}

TEST_CASE_FIXTURE(two_systems, "a message above the limit ends the connection, which comes back") {
  CHECK(send(std::string(21U << 20U, 'x')) == "lost");
  // The name may still stand for the actor of the connection that is gone.
  std::string answer;
  do
    answer = send("again");
  while (answer == "lost");
  CHECK(answer == "again");
}

TEST_CASE_FIXTURE(deceived_node,
                  "a handshake that nobody answers is dropped, and dialed afresh once") {
  auto caller = fail_to_join("tried 2 times");
  for (int attempt = 0; attempt < 2; ++attempt)
    listener.accept().await_close();
  caller.join();
}

TEST_CASE_FIXTURE(deceived_node, "a listener whose first header announces 4 GB is hung up on") {
  auto caller = fail_to_join("tried 8 times");
  test::caf_handshake boast{.operation = 0, .announced_bytes = 0xFFFFFFFFU, .version = 3};
  for (int attempt = 0; attempt < 8; ++attempt) {
    auto dialed = listener.accept();
    dialed.send(boast.header());
    dialed.await_close();
  }
  caller.join();
}

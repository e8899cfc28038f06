// Connections to a running node's data port that no node of its cluster made: they are closed, with
// one line in the log each, and nobody else notices.

#include <array>

#include "../../raw_socket.hpp"
#include "peer_process.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

/// A node that another one pulls from, and whose warnings are kept.
struct host_in_use {
  host_in_use() {
    away.join(home);
    home.await_member(away);
    pull();
  }

  /// The reader has no other way to the value than a connection to the data port.
  void pull() {
    home.put("value", 1, 1'000'000);
    home.send("value", away);
    CHECK(away.read("value") == "1 1000000");
  }

  [[nodiscard]] raw_socket connect() {
    return raw_socket::connect_to(home.data_port());
  }

  /// Ends the node, and returns what it said of its data port.
  std::vector<std::string> lines() {
    std::vector<std::string> result;
    for (const auto& line : home.end_with_log())
      if (line.starts_with("data port: "))
        result.push_back(line.substr(line.rfind(": ") + 2));
    return result;
  }

  logging_peer home;
  peer away{{"--mobula.same-host-reading=off"}};
};

incarnation_id id_of(const peer& process) {
  return parse_object_id(process.incarnation() + "-1").value().owner;
}

const std::string wrong_greeting =
  "its greeting is not for this node, or its token is not that of its node";

} // namespace

TEST_CASE_FIXTURE(host_in_use, "a stranger with the name of a member and a wrong token is closed") {
  auto stranger = connect();
  stranger.send(hello_frame{.token = {}, .sender = id_of(away), .receiver = id_of(home)});
  CHECK_FALSE(stranger.receive());
  pull();
  CHECK(lines() == std::vector{wrong_greeting});
}

TEST_CASE_FIXTURE(host_in_use, "a stranger that nobody knows is closed") {
  auto stranger = connect();
  stranger.send(hello_frame{.token = {}, .sender = {.high = 1, .low = 1}, .receiver = id_of(home)});
  CHECK_FALSE(stranger.receive());
  pull();
  CHECK(lines() == std::vector{wrong_greeting});
}

TEST_CASE_FIXTURE(host_in_use, "a stranger that asks before it greets is closed") {
  auto stranger = connect();
  stranger.send(request_frame{ask_number{1}, {{id_of(home), 1}, 0, 1'000'000}});
  CHECK_FALSE(stranger.receive());
  pull();
  CHECK(lines() == std::vector<std::string>{"it did not greet first"});
}

TEST_CASE_FIXTURE(host_in_use, "a stranger that talks garbage is closed") {
  auto stranger = connect();
  std::array<std::byte, 1'000> garbage{};
  garbage.fill(std::byte{0xA5});
  stranger.send(garbage);
  CHECK_FALSE(stranger.receive());
  pull();
  auto said = lines();
  REQUIRE(said.size() == 1);
  CHECK(said.front().find("header") != std::string::npos);
}

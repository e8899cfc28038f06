// Connections to a running node's control port that are no nodes', or turn out to be none: what
// they cost the node, and that others join it all the same.

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include <caf/binary_serializer.hpp>
#include <caf/node_id.hpp>

#include "../../actors/caf/caf_handshake.hpp"
#include "../../raw_socket.hpp"
#include "peer_process.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

/// Returns the most memory that a process has had at a time.
std::uint64_t peak_bytes(const peer& process) {
  std::ifstream status{"/proc/" + std::to_string(process.process()) + "/status"};
  std::string word;
  while (status >> word)
    if (word == "VmHWM:") {
      std::uint64_t kibibytes = 0;
      status >> kibibytes;
      return kibibytes * 1024;
    }
  FAIL("the process does not tell");
  return 0;
}

/// A node id that no process has, as CAF writes it.
std::vector<std::byte> node_id_bytes(std::uint32_t process) {
  caf::node_id::default_data::host_id_type host{};
  host.fill(0x5A);
  std::vector<char> written;
  caf::binary_serializer sink{nullptr, written};
  auto id = caf::make_node_id(process, host);
  REQUIRE_FALSE(sink(id));
  auto bytes = std::as_bytes(std::span{written});
  return {bytes.begin(), bytes.end()};
}

/// A node that listens, and whose warnings are kept.
struct listening_node {
  [[nodiscard]] raw_socket connect() const {
    return raw_socket::connect_to(static_cast<std::uint16_t>(std::stoi(home.port())));
  }

  /// Connects as a CAF node does.
  [[nodiscard]] raw_socket greet(std::uint32_t process = 4711) const {
    auto result = connect();
    auto id = node_id_bytes(process);
    result.send(caf_handshake{.announced_bytes = static_cast<std::uint32_t>(id.size())}.header());
    result.send(id);
    return result;
  }

  /// A node joins and both see it; then no stranger has cost much memory.
  void check_that_all_is_well() {
    peer other;
    other.join(home);
    home.await_member(other);
    CHECK(peak_bytes(home) < before + (64ULL << 20U));
  }

  bool said(const std::string& text) {
    return home.lines_with(text) > 0;
  }

  logging_peer home;
  std::uint64_t before = peak_bytes(home);
};

constexpr std::uint8_t direct_message = 2;

} // namespace

TEST_CASE_FIXTURE(listening_node, "32 bytes from a stranger that announce 4 GB take nothing") {
  for (int count = 0; count < 20; ++count) {
    auto stranger = connect();
    stranger.send(caf_handshake{.announced_bytes = 0xFFFFFFFFU}.header());
    stranger.await_close();
  }
  check_that_all_is_well();
  CHECK(said("announced a handshake of 4294967295 bytes"));
}

TEST_CASE_FIXTURE(listening_node, "strangers that say nothing, or half a header, keep nobody out") {
  std::vector<raw_socket> strangers;
  for (int count = 0; count < 300; ++count) {
    strangers.push_back(connect());
    if (count % 2 == 0)
      strangers.back().send(caf_handshake{}.half_header());
  }
  check_that_all_is_well();
}

TEST_CASE_FIXTURE(listening_node, "who greeted as a node and announces 4 GB is closed") {
  auto stranger = greet();
  stranger.send(
    caf_handshake{.operation = direct_message, .announced_bytes = 0xFFFFFFFFU, .actor = 1}
      .header());
  stranger.await_close();
  check_that_all_is_well();
  CHECK(said("announced a message of 4294967295 bytes, but mobula.message-limit is 268435456"));
}

TEST_CASE_FIXTURE(listening_node, "of many that announce 4 GB the log has few") {
  for (std::uint32_t process = 1; process <= 100; ++process) {
    auto stranger = greet(process);
    stranger.send(
      caf_handshake{.operation = direct_message, .announced_bytes = 0xFFFFFFFFU, .actor = 1}
        .header());
    stranger.await_close();
  }
  CHECK(home.lines_with("announced a message of 4294967295 bytes") == 7);
}

TEST_CASE_FIXTURE(listening_node,
                  "a length that a message may have takes no memory before it comes") {
  auto stranger = greet();
  stranger.send(
    caf_handshake{.operation = direct_message, .announced_bytes = 200U << 20U, .actor = 1}
      .header());
  // Far more than the buffers between hold: most of it has been read when it is sent.
  std::vector<std::byte> some(16U << 20U);
  stranger.send(some);
  check_that_all_is_well();
}

TEST_CASE_FIXTURE(listening_node, "a handshake that is none ends its connection only") {
  auto stranger = connect();
  stranger.send(caf_handshake{}.whole());
  stranger.await_close();
  check_that_all_is_well();
}

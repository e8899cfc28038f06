// Two or more data ports over real TCP on the loopback device: what arrives, and what becomes of it
// when one of them goes.

#include <doctest/doctest.h>

#include <chrono>

#include <sys/wait.h>

#include "misbehaving_peers.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr std::size_t kib = 1024;

transfer_bytes dull_content(std::size_t size) {
  transfer_bytes result(size);
  for (std::size_t i = 0; i < size; ++i)
    result[i] = static_cast<std::byte>(i / 1'000);
  return result;
}

pull_config small_chunks() {
  return {.chunk_bytes = 64 * kib};
}

} // namespace

// -- moving bytes -------------------------------------------------------------------

TEST_CASE("an object arrives whole over TCP") {
  transfer_host sender{1};
  transfer_host receiver{2};
  sender.befriend(receiver);
  auto content = random_content(9'000'001);
  sender.put(1, content);
  receiver.pull(1, content.size(), {sender.self()});
  CHECK(receiver.wait_for(1) == content);
}

TEST_CASE("many objects arrive at once, in both directions") {
  transfer_host one{1, {}, small_chunks()};
  transfer_host other{2, {}, small_chunks()};
  one.befriend(other);
  for (std::uint64_t number = 1; number <= 100; ++number) {
    auto& sender = number % 2 == 0 ? one : other;
    sender.put(number, random_content(200 * kib, number));
  }
  for (std::uint64_t number = 1; number <= 100; ++number)
    number % 2 == 0 ? other.pull(number, 200 * kib, {one.self()})
                    : one.pull(number, 200 * kib, {other.self()});
  for (std::uint64_t number = 1; number <= 100; ++number) {
    auto& receiver = number % 2 == 0 ? other : one;
    CHECK(receiver.wait_for(number) == random_content(200 * kib, number));
  }
}

TEST_CASE("what has arrived of a large object is told before more is read") {
  constexpr std::uint64_t chunk_bytes = 512 * kib;
  transfer_host sender{1};
  transfer_host receiver{2, {}, {.chunk_bytes = chunk_bytes, .chunks_per_pull = 16}};
  sender.befriend(receiver);
  auto content = random_content(32 * chunk_bytes);
  sender.put(1, content);
  receiver.pull(1, content.size(), {sender.self()});
  CHECK(receiver.wait_for(1) == content);
  receiver.wait([&] {
    CHECK(receiver.most_in_a_turn() == chunk_bytes);
    return true;
  });
}

TEST_CASE("compressed chunks arrive as what they were") {
  transfer_host sender{1, {.compression = compression_mode::on}};
  transfer_host receiver{2, {}, small_chunks()};
  sender.befriend(receiver);
  for (auto [number, content] :
       {std::pair{1, dull_content(1'000 * kib)}, std::pair{2, random_content(1'000 * kib)}}) {
    auto id = static_cast<std::uint64_t>(number);
    sender.put(id, content);
    receiver.pull(id, content.size(), {sender.self()});
    CHECK(receiver.wait_for(id) == content);
  }
}

TEST_CASE("what else a port has to do is not taken for a slow connection") {
  constexpr std::uint64_t rounds = 30;
  host_and_stranger pair;
  auto content = random_content(64 * kib);
  // Half of it could be saved.
  for (auto& byte : content)
    byte &= std::byte{0x0F};
  pair.host.put(2, content);
  pair.host.serve_slowly(std::chrono::milliseconds{5});
  auto socket = pair.greet();
  std::uint64_t compressed = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    // Both chunks are written together: the first waits until the second has been found.
    std::vector<std::byte> asks;
    for (auto number : {2 * round + 1, 2 * round + 2}) {
      auto header =
        encode(request_frame{ask_number{number}, {transfer_host::id_of(2), 0, content.size()}});
      asks.insert(asks.end(), header.begin(), header.end());
    }
    socket.send(asks);
    for (int answer = 0; answer < 2; ++answer) {
      auto frame = socket.receive();
      REQUIRE(frame);
      const auto& chunk = std::get<chunk_frame>(*frame);
      compressed += chunk.encoding == chunk_encoding::zstd ? 1 : 0;
      std::vector<std::byte> payload(chunk.wire_bytes);
      socket.receive_into(payload);
    }
  }
  // Few, in case the system is busy: else the most of both.
  CHECK(compressed < rounds);
}

TEST_CASE("what a node does not have is refused") {
  transfer_host sender{1};
  transfer_host receiver{2};
  sender.befriend(receiver);
  receiver.pull(1, 10, {sender.self()});
  receiver.wait([&] { return receiver.pulls().refused_asks == 1; });
}

TEST_CASE("a canceled pull ends at once, whatever the sender does") {
  host_and_false_server pair;
  auto socket = pair.accept();
  auto request = pair.greet(socket);
  pair.host.cancel_all();
  pair.host.wait([&] { return pair.host.buffers() == 0; });
  CHECK(socket.receive() == transfer_frame{cancel_frame{request.ask}});
}

TEST_CASE("bytes that come for a canceled ask are dropped") {
  host_and_false_server pair;
  auto socket = pair.accept();
  auto request = pair.greet(socket);
  pair.host.cancel_all();
  REQUIRE(socket.receive());
  auto payload = random_content(10);
  socket.send(chunk_of(request, payload));
  socket.send(payload);
  pair.host.pull(1, 10, {pair.self});
  auto again = std::get<request_frame>(*socket.receive());
  socket.send(chunk_of(again, payload));
  socket.send(payload);
  CHECK(pair.host.wait_for(1) == payload);
}

TEST_CASE("an ask to a node that nobody knows, or that does not listen, is lost") {
  transfer_host receiver{1};
  receiver.pull(1, 10, {{.high = 9, .low = 9}});
  receiver.wait([&] { return receiver.pulls().lost_asks == 1; });
  auto port = raw_socket::listen_anywhere().port();
  receiver.know({.high = 9, .low = 10}, {.ip = "127.0.0.1", .port = port});
  receiver.pull(2, 10, {{.high = 9, .low = 10}});
  receiver.wait([&] { return receiver.pulls().lost_asks == 2; });
}

TEST_CASE("every ask ends when the port closes") {
  host_and_false_server pair;
  auto socket = pair.accept();
  pair.greet(socket);
  pair.host.close_port();
  CHECK(pair.host.pulls().asks == 0);
}

TEST_CASE("a node that is removed is neither asked nor served") {
  transfer_host sender{1};
  transfer_host receiver{2};
  sender.befriend(receiver);
  sender.put(1, random_content(10));
  receiver.pull(1, 10, {sender.self()});
  receiver.wait_for(1);
  sender.port().remove_node(receiver.self());
  sender.wait([&] { return sender.pushes().connections == 0; });
  receiver.pull(2, 10, {sender.self()});
  receiver.wait([&] { return receiver.pulls().lost_asks == 1; });
}

TEST_CASE("an address that cannot be listened on is named") {
  transfer_host first{1};
  auto taken = first.port().address();
  transfer_host second{2, {.listen = taken}};
  CHECK(second.failure().find("cannot listen on 127.0.0.1:" + std::to_string(taken.port)) == 11);
  transfer_host third{3, {.listen = {.ip = "localhost"}}};
  CHECK(third.failure().find("localhost:0 is no address") == 11);
}

// -- deaths -------------------------------------------------------------------------

TEST_CASE("when a sender is killed the rest comes from another, from the first missing byte") {
  constexpr std::size_t size = 1'000 * kib;
  auto content = random_content(size);
  int port_pipe[2];
  REQUIRE(::pipe(port_pipe) == 0);
  incarnation_id receiver_id{.high = 0xF0, .low = 2};
  auto child = ::fork();
  if (child == 0) {
    transfer_host sender{1};
    sender.put(1, content);
    sender.admit(receiver_id);
    sender.stall_after(5);
    auto port = sender.port().address().port;
    (void)!::write(port_pipe[1], &port, sizeof(port));
    while (true)
      ::pause();
  }
  std::uint16_t port = 0;
  REQUIRE(::read(port_pipe[0], &port, sizeof(port)) == sizeof(port));
  transfer_host receiver{2, {}, small_chunks()};
  incarnation_id sender_id{.high = 0xF0, .low = 1};
  receiver.know(sender_id, {.ip = "127.0.0.1", .port = port});
  receiver.pull(1, size, {sender_id});
  receiver.wait([&] { return receiver.pulls().arrived_bytes >= 3 * 64 * kib; });
  REQUIRE(::kill(child, SIGKILL) == 0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  receiver.wait([&] { return receiver.pulls().asks == 0; });
  transfer_host other{3};
  other.befriend(receiver);
  other.put(1, content);
  receiver.locate(1, size, {sender_id, other.self()});
  CHECK(receiver.wait_for(1) == content);
  receiver.wait([&] {
    CHECK(receiver.pulls().arrived_bytes == size);
    return true;
  });
  ::close(port_pipe[0]);
  ::close(port_pipe[1]);
}

TEST_CASE("when a receiver goes its asks are dropped") {
  host_and_stranger pair;
  pair.host.put(2, random_content(20'000 * kib));
  {
    auto socket = pair.greet();
    socket.send(request_frame{ask_number{1}, {transfer_host::id_of(2), 0, 20'000 * kib}});
    REQUIRE(socket.receive());
  }
  pair.host.wait([&] {
    auto stats = pair.host.pushes();
    return stats.connections == 0 && stats.sends == 0 && stats.objects == 0;
  });
}

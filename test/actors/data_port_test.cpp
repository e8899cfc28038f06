// Two or more data ports over real TCP on the loopback device, and peers that misbehave.

#include <doctest/doctest.h>

#include <random>

#include <sys/wait.h>

#include "mobula/serialization/metadata.hpp"
#include "raw_socket.hpp"
#include "transfer_host.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr std::size_t kib = 1024;

transfer_bytes random_content(std::size_t size, std::uint64_t seed = 1) {
  std::mt19937_64 random{seed};
  transfer_bytes result(size);
  for (auto& byte : result)
    byte = static_cast<std::byte>(random());
  return result;
}

transfer_bytes dull_content(std::size_t size) {
  transfer_bytes result(size);
  for (std::size_t i = 0; i < size; ++i)
    result[i] = static_cast<std::byte>(i / 1'000);
  return result;
}

pull_config small_chunks() {
  return {.chunk_bytes = 64 * kib};
}

/// A host, and a stranger that knows everything but how to behave.
struct host_and_stranger {
  transfer_host host;
  incarnation_id self{.high = 9, .low = 9};

  explicit host_and_stranger(data_port_config config = {}) : host(1, std::move(config)) {
    host.admit(self);
    host.put(1, random_content(10));
  }

  raw_socket connect() {
    return raw_socket::connect_to(host.port().address().port);
  }

  [[nodiscard]] hello_frame greeting() const {
    return {transfer_host::token_of(self), self, host.self()};
  }

  /// Connects and is let in.
  raw_socket greet() {
    auto socket = connect();
    socket.send(greeting());
    REQUIRE(socket.receive() == transfer_frame{hello_frame{greeting().token, host.self(), self}});
    return socket;
  }

  /// Returns the one line that the host said of the connection, which is closed.
  std::string only_line(const raw_socket& socket) {
    CHECK_FALSE(socket.receive());
    host.wait([&] { return !host.lines().empty(); });
    std::string line;
    host.wait([&] {
      CHECK(host.lines().size() == 1);
      line = host.lines().front();
      return true;
    });
    return line.substr(line.rfind(": ") + 2);
  }

  void check_still_serving() {
    auto socket = greet();
    socket.send(request_frame{ask_number{1}, {transfer_host::id_of(1), 0, 10}});
    auto frame = socket.receive();
    REQUIRE(frame);
    CHECK(std::holds_alternative<chunk_frame>(*frame));
  }
};

/// A host that pulls an object of ten bytes from a server that may say anything.
struct host_and_false_server {
  transfer_host host{1};
  incarnation_id self{.high = 9, .low = 9};
  raw_socket listener = raw_socket::listen_anywhere();

  raw_socket accept() {
    host.know(self, {.ip = "127.0.0.1", .port = listener.port()});
    host.pull(1, 10, {self});
    auto socket = listener.accept();
    auto hello = socket.receive();
    REQUIRE(hello);
    REQUIRE(std::holds_alternative<hello_frame>(*hello));
    return socket;
  }

  /// Accepts and lets the host ask.
  request_frame greet(const raw_socket& socket) {
    socket.send(hello_frame{transfer_host::token_of(host.self()), self, host.self()});
    auto request = socket.receive();
    REQUIRE(request);
    return std::get<request_frame>(*request);
  }

  /// Waits until the host has given the connection up; returns what it said.
  std::string line() {
    host.wait([&] { return host.pulls().lost_asks == 1 && host.lines().size() == 1; });
    std::string line;
    host.wait([&] {
      line = host.lines().front();
      return true;
    });
    return line.substr(line.rfind(": ") + 2);
  }
};

chunk_frame chunk_of(const request_frame& request, std::span<const std::byte> payload) {
  return {.ask = request.ask,
          .range = request.range,
          .wire_bytes = static_cast<std::uint32_t>(payload.size()),
          .checksum = checksum_of(payload)};
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
  pair.host.wait([&] { return pair.host.rooms() == 0; });
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

// -- those that are not let in ------------------------------------------------------

TEST_CASE("a connection that sends garbage is closed, with one line") {
  host_and_stranger pair;
  auto socket = pair.connect();
  socket.send(random_content(1'000));
  CHECK(pair.only_line(socket) == "the header's checksum does not match at byte 64");
  pair.check_still_serving();
}

TEST_CASE("a connection without the right token is closed, with one line") {
  host_and_stranger pair;
  auto greeting = pair.greeting();
  greeting.token.bytes[15] ^= std::byte{1};
  auto socket = pair.connect();
  socket.send(greeting);
  CHECK(pair.only_line(socket)
        == "its greeting is not for this node, or its token is not that of its node");
  pair.check_still_serving();
}

TEST_CASE("a token is of no use to another node, nor for another one") {
  for (auto change : {&hello_frame::sender, &hello_frame::receiver}) {
    host_and_stranger pair;
    auto greeting = pair.greeting();
    (greeting.*change).low += 1;
    auto socket = pair.connect();
    socket.send(greeting);
    CHECK(pair.only_line(socket)
          == "its greeting is not for this node, or its token is not that of its node");
  }
}

TEST_CASE("a connection that asks before it has greeted is closed, with one line") {
  host_and_stranger pair;
  auto socket = pair.connect();
  socket.send(request_frame{ask_number{1}, {transfer_host::id_of(1), 0, 10}});
  CHECK(pair.only_line(socket) == "it did not greet first");
}

TEST_CASE("a connection that says nothing is closed after a while") {
  host_and_stranger pair{{.greeting_ms = 20}};
  auto socket = pair.connect();
  CHECK(pair.only_line(socket) == "it did not greet in time");
}

TEST_CASE("only so many may wait to greet") {
  host_and_stranger pair{{.max_strangers = 1}};
  auto first = pair.connect();
  auto second = pair.connect();
  CHECK_FALSE(second.receive());
  pair.host.wait([&] { return pair.host.lines().size() == 1; });
}

TEST_CASE("a damaged frame after the greeting closes its connection alone") {
  host_and_stranger pair;
  auto good = pair.greet();
  auto bad = pair.greet();
  auto header = encode(request_frame{ask_number{1}, {transfer_host::id_of(1), 0, 10}});
  header[20] ^= std::byte{1};
  bad.send(header);
  CHECK(pair.only_line(bad) == "the header's checksum does not match at byte 64");
  good.send(request_frame{ask_number{1}, {transfer_host::id_of(1), 0, 10}});
  CHECK(good.receive());
}

TEST_CASE("a reader that sends what only a sender may is closed") {
  host_and_stranger pair;
  auto socket = pair.greet();
  socket.send(refusal_frame{ask_number{1}, refusal_reason::busy});
  CHECK(pair.only_line(socket) == "it sent a frame that only the other end may send");
}

TEST_CASE("a reader that asks without end and reads nothing is closed") {
  host_and_stranger pair{{.max_waiting_frames = 10}};
  auto socket = pair.greet();
  // Refusals that fill the system's buffers, and then the port's.
  std::vector<std::byte> asks;
  for (std::uint64_t number = 1; number <= 200'000; ++number) {
    auto header = encode(request_frame{ask_number{number}, {transfer_host::id_of(9), 0, 10}});
    asks.insert(asks.end(), header.begin(), header.end());
  }
  socket.send(asks);
  pair.host.wait([&] { return !pair.host.lines().empty(); });
}

// -- senders that lie ---------------------------------------------------------------

TEST_CASE("a server that is another node than expected is not believed") {
  host_and_false_server pair;
  auto socket = pair.accept();
  socket.send(hello_frame{transfer_host::token_of(pair.host.self()), {1, 2}, pair.host.self()});
  CHECK(pair.line() == "it is another node than the one that was to be asked");
}

TEST_CASE("a chunk whose bytes do not match its checksum ends the connection") {
  host_and_false_server pair;
  auto socket = pair.accept();
  auto request = pair.greet(socket);
  auto payload = random_content(10);
  auto chunk = chunk_of(request, payload);
  chunk.checksum ^= 1;
  socket.send(chunk);
  socket.send(payload);
  CHECK(pair.line() == "the checksum of a chunk does not match");
}

TEST_CASE("bytes that nobody asked for end the connection") {
  host_and_false_server pair;
  auto socket = pair.accept();
  auto request = pair.greet(socket);
  request.ask = ask_number{99};
  socket.send(chunk_of(request, random_content(10)));
  CHECK(pair.line() == "it sent bytes that nobody asked for");
}

TEST_CASE("other bytes than those that were asked for end the connection") {
  host_and_false_server pair;
  auto socket = pair.accept();
  auto request = pair.greet(socket);
  SUBCASE("of another object") {
    request.range.id.sequence += 1;
  }
  SUBCASE("from another place") {
    request.range.offset_bytes += 1;
  }
  SUBCASE("too many") {
    request.range.length_bytes += 1;
  }
  socket.send(chunk_of(request, random_content(request.range.length_bytes)));
  CHECK(pair.line() == "it sent other bytes than those that were asked for");
}

TEST_CASE("a compressed chunk that does not hold what it says ends the connection") {
  host_and_false_server pair;
  auto socket = pair.accept();
  auto request = pair.greet(socket);
  auto payload = random_content(5);
  auto chunk = chunk_of(request, payload);
  chunk.encoding = chunk_encoding::zstd;
  socket.send(chunk);
  socket.send(payload);
  CHECK(pair.line() == "a compressed chunk does not hold what it says");
}

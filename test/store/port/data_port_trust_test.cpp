// What a data port takes from the other end of a connection, and for what it closes one.

#include <doctest/doctest.h>

#include "misbehaving_peers.hpp"

using namespace mobula;
using namespace mobula::test;

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

TEST_CASE("what was answered before an offense still goes out") {
  host_and_stranger pair;
  auto socket = pair.connect();
  // In one piece, so that the port reads both before it writes.
  std::vector<std::byte> frames;
  for (const transfer_frame& frame :
       {transfer_frame{pair.greeting()},
        transfer_frame{refusal_frame{ask_number{1}, refusal_reason::busy}}}) {
    auto header = encode(frame);
    frames.insert(frames.end(), header.begin(), header.end());
  }
  socket.send(frames);
  CHECK(socket.receive()
        == transfer_frame{hello_frame{pair.greeting().token, pair.host.self(), pair.self}});
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

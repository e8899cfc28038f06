// Connections over which nothing comes, or hardly anything, and those that cannot be made: what a
// data port tells of them, and how it gets rid of them.

#include <doctest/doctest.h>

#include <filesystem>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "misbehaving_peers.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

/// Returns how many sockets of this process have the option.
int sockets_with(int level, int option) {
  int result = 0;
  for (const auto& file : std::filesystem::directory_iterator{"/proc/self/fd"}) {
    int value = 0;
    socklen_t size = sizeof(value);
    auto descriptor = std::stoi(file.path().filename().string());
    if (::getsockopt(descriptor, level, option, &value, &size) == 0 && value != 0)
      ++result;
  }
  return result;
}

/// A host that tells of each piece of a chunk.
data_port_config telling() {
  return {.progress_ms = 0};
}

} // namespace

TEST_CASE("a chunk that comes slowly keeps its connection, however long it takes") {
  host_and_false_server pair{telling()};
  auto socket = pair.accept();
  auto request = pair.greet(socket);
  auto payload = random_content(10);
  socket.send(chunk_of(request, payload));
  for (std::size_t piece = 0; piece < 9; ++piece) {
    socket.send(std::span{payload}.subspan(piece, 1));
    pair.host.wait([&] { return pair.host.progress() > piece; });
    pair.host.fire_timers();
  }
  socket.send(std::span{payload}.last(1));
  CHECK(pair.host.wait_for(1) == payload);
}

TEST_CASE("a connection that has fallen silent is closed, and what is missing comes over another") {
  host_and_false_server pair;
  auto forgotten = pair.accept();
  pair.greet(forgotten);
  pair.host.fire_timers();
  pair.host.fire_timers();
  pair.host.wait([&] { return pair.host.pulls().asks == 0; });
  pair.host.fire_timers();
  auto socket = pair.listener.accept();
  REQUIRE(socket.receive());
  auto request = pair.greet(socket);
  auto payload = random_content(10);
  socket.send(chunk_of(request, payload));
  socket.send(payload);
  CHECK(pair.host.wait_for(1) == payload);
}

TEST_CASE("bytes of chunks that nobody needs any more count as a sign of life") {
  host_and_false_server pair{telling()};
  auto socket = pair.accept();
  auto request = pair.greet(socket);
  socket.send(chunk_of(request, random_content(10)));
  pair.host.cancel_all();
  pair.host.wait([&] { return pair.host.pulls().asks == 0; });
  socket.send(random_content(5));
  pair.host.wait([&] { return pair.host.progress() == 1; });
}

TEST_CASE("both ends of a connection test whether the other one lives") {
  auto before = sockets_with(SOL_SOCKET, SO_KEEPALIVE);
  transfer_host sender{1};
  transfer_host receiver{2};
  sender.befriend(receiver);
  sender.put(1, random_content(10));
  receiver.pull(1, 10, {sender.self()});
  receiver.wait_for(1);
  CHECK(sockets_with(SOL_SOCKET, SO_KEEPALIVE) == before + 2);
  CHECK(sockets_with(IPPROTO_TCP, TCP_USER_TIMEOUT) == before + 2);
}

TEST_CASE("why no connection could be made is told before its asks are lost") {
  transfer_host host{1, {.greeting_ms = 1}};
  incarnation_id refusing{.high = 9, .low = 10};
  host.know(refusing, {.ip = "127.0.0.1", .port = raw_socket::listen_anywhere().port()});
  host.pull(1, 10, {refusing});
  host.wait([&] { return host.pulls().lost_asks == 1; });
  auto deaf = raw_socket::listen_anywhere();
  incarnation_id silent{.high = 9, .low = 11};
  host.know(silent, {.ip = "127.0.0.1", .port = deaf.port()});
  host.pull(2, 10, {silent});
  host.wait([&] { return host.pulls().lost_asks == 2; });
  host.wait([&] {
    CHECK(host.unreachable() == std::vector{connect_failure::refused, connect_failure::silent});
    CHECK(host.lines().empty());
    return true;
  });
}

TEST_CASE("a source that greets is told to be reached") {
  host_and_false_server pair;
  auto socket = pair.accept();
  pair.greet(socket);
  pair.host.wait([&] { return pair.host.connected() == 1; });
}

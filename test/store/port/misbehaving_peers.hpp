#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include <doctest/doctest.h>

#include "../../raw_socket.hpp"
#include "mobula/serialization/checksum.hpp"
#include "mobula/serialization/metadata.hpp"
#include "transfer_host.hpp"

/// A data port whose other end is a socket in the hands of the test.

namespace mobula::test {

inline transfer_bytes random_content(std::size_t size, std::uint64_t seed = 1) {
  std::mt19937_64 random{seed};
  transfer_bytes result(size);
  for (auto& byte : result)
    byte = static_cast<std::byte>(random());
  return result;
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
  transfer_host host;
  incarnation_id self{.high = 9, .low = 9};
  raw_socket listener = raw_socket::listen_anywhere();

  explicit host_and_false_server(data_port_config config = {}) : host(1, std::move(config)) {
  }

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

inline chunk_frame chunk_of(const request_frame& request, std::span<const std::byte> payload) {
  return {.ask = request.ask,
          .range = request.range,
          .wire_bytes = static_cast<std::uint32_t>(payload.size()),
          .checksum = checksum_of(payload)};
}

} // namespace mobula::test

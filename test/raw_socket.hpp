#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mobula/store/system/assertion.hpp"
#include "mobula/store/transfer/transfer_frames.hpp"

namespace mobula::test {

/// A TCP socket that says whatever a test wants.
class raw_socket {
public:
  explicit raw_socket(int descriptor) : descriptor_(descriptor) {
    MOBULA_ASSERT(descriptor >= 0);
  }

  raw_socket(raw_socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {
  }

  ~raw_socket() {
    if (descriptor_ >= 0)
      ::close(descriptor_);
  }

  static raw_socket connect_to(std::uint16_t port) {
    raw_socket result{::socket(AF_INET, SOCK_STREAM, 0)};
    result.connect(port);
    return result;
  }

  static raw_socket listen_anywhere() {
    raw_socket result{::socket(AF_INET, SOCK_STREAM, 0)};
    auto address = loopback(0);
    MOBULA_ASSERT(::bind(result.descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof(address))
                  == 0);
    MOBULA_ASSERT(::listen(result.descriptor_, 8) == 0);
    return result;
  }

  /// Connects a socket that is fresh.
  void connect(std::uint16_t port) const {
    auto address = loopback(port);
    MOBULA_ASSERT(::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof(address))
                  == 0);
  }

  [[nodiscard]] int get() const noexcept {
    return descriptor_;
  }

  [[nodiscard]] std::uint16_t port() const {
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    MOBULA_ASSERT(::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    return ntohs(address.sin_port);
  }

  [[nodiscard]] raw_socket accept() const {
    return raw_socket{::accept(descriptor_, nullptr, nullptr)};
  }

  /// Returns whether somebody has connected that was not accepted yet.
  [[nodiscard]] bool has_caller() const {
    pollfd waiting{.fd = descriptor_, .events = POLLIN, .revents = 0};
    return ::poll(&waiting, 1, 0) > 0;
  }

  /// The other side may have closed: what it does with the bytes is the test.
  void send(std::span<const std::byte> bytes) const {
    (void)::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  void send(const transfer_frame& frame) const {
    send(encode(frame));
  }

  /// Fills the bytes. Stops early only at the end of the stream.
  void receive_into(std::span<std::byte> bytes) const {
    for (ssize_t size = 1; size > 0 && !bytes.empty();) {
      size = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
      if (size > 0)
        bytes = bytes.subspan(static_cast<std::size_t>(size));
    }
  }

  /// Reads until the other side closes, which this waits for.
  void await_close() const {
    std::array<std::byte, 4096> bytes{};
    while (::recv(descriptor_, bytes.data(), bytes.size(), 0) > 0)
      continue;
  }

  /// Returns nothing at the end of the stream.
  [[nodiscard]] std::optional<transfer_frame> receive() const {
    frame_header header{};
    std::size_t filled = 0;
    while (filled < header.size()) {
      auto size = ::recv(descriptor_, header.data() + filled, header.size() - filled, 0);
      if (size <= 0)
        return std::nullopt;
      filled += static_cast<std::size_t>(size);
    }
    auto frame = decode_frame(header);
    MOBULA_ASSERT(frame);
    return *frame;
  }

private:
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    result.sin_port = htons(port);
    return result;
  }

  int descriptor_;
};

} // namespace mobula::test

// Closes a socket that nobody took over.

#include "mobula/store/system/owned_socket.hpp"

#include <unistd.h>

#include <utility>

namespace mobula {

owned_socket::owned_socket(int socket) noexcept : socket_(socket) {
  // nop
}

owned_socket::owned_socket(owned_socket&& other) noexcept : socket_(other.release()) {
  // nop
}

owned_socket& owned_socket::operator=(owned_socket&& other) noexcept {
  std::swap(socket_, other.socket_);
  return *this;
}

owned_socket::~owned_socket() {
  if (socket_ >= 0)
    ::close(socket_);
}

int owned_socket::release() noexcept {
  return std::exchange(socket_, -1);
}

} // namespace mobula

#pragma once

namespace mobula {

/// A socket that is closed at the end of its scope, or handed on with `release`.
class owned_socket {
public:
  explicit owned_socket(int socket) noexcept;

  owned_socket(owned_socket&& other) noexcept;

  owned_socket& operator=(owned_socket&& other) noexcept;

  ~owned_socket();

  [[nodiscard]] int get() const noexcept {
    return socket_;
  }

  /// Returns the socket, which is the caller's from now on.
  [[nodiscard]] int release() noexcept;

private:
  int socket_; ///< negative: none
};

} // namespace mobula

#pragma once

#include <cstdint>
#include <string>

namespace mobula {

/// Where something listens.
struct endpoint {
  std::string address; ///< a name or a number, as the other side would dial it
  std::uint16_t port = 0;

  friend bool operator==(const endpoint&, const endpoint&) = default;
};

/// Returns `address:port`; an IPv6 address is put in brackets.
[[nodiscard]] std::string to_string(const endpoint& where);

} // namespace mobula

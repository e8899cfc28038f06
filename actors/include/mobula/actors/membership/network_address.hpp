#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "mobula/actors/protocol/membership/member_effects.hpp"
#include "mobula/store/system/owned_socket.hpp"

/// What the operating system knows about addresses, in words for people. All of it may block.

namespace mobula {

struct address_failure {
  dial_failure kind;
  std::string text;
};

/// Connects to `target` by TCP, or tells why that is not possible. Each address that a name stands
/// for is tried for up to `limit`.
///
/// CAF's own connect says only that it failed, and blocks all other connects until the system gives
/// up, for minutes if the other side is silent.
[[nodiscard]] std::variant<owned_socket, address_failure>
connect_to(const endpoint& target, std::chrono::milliseconds limit);

/// Opens a socket that listens at `where`, an address in numbers, at any port that is free if it is
/// 0, or tells why that is not possible, with the remedy. `::` stands for all addresses of IPv6 and
/// of IPv4, `0.0.0.0` for those of IPv4. A port whose last connections the system still remembers
/// is free. The socket does not block.
[[nodiscard]] std::variant<owned_socket, std::string> listen_at(const endpoint& where);

/// Returns the port that a socket is bound to.
[[nodiscard]] std::uint16_t port_of(const owned_socket& socket);

/// Returns the addresses of the host's interfaces that are up, in numbers, as the system orders
/// them.
[[nodiscard]] std::vector<std::string> interface_addresses();

/// Returns the address at which a socket hears all connections to this host: `::`, or `0.0.0.0`
/// where there is no IPv6.
[[nodiscard]] std::string all_addresses();

/// Returns what the name stands for, in numbers, at least one; or why there is nothing. No name
/// stands for nothing.
[[nodiscard]] std::variant<std::vector<std::string>, address_failure>
numeric_addresses(const std::string& name);

} // namespace mobula

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>

namespace mobula {

/// Bytes of the header that stands before everything that CAF's nodes tell each other.
constexpr std::size_t caf_header_bytes = 32;

/// What a node of CAF's says first: who dials and who was dialed each send one handshake. The
/// numbers are those on the wire.
enum class handshake_of : std::uint8_t { listener = 0, dialer = 1 };

/// Bytes that may follow the first header: a node's id, and from a listener the messages that its
/// actor takes, by name.
[[nodiscard]] constexpr std::uint32_t max_handshake_bytes(handshake_of whose) noexcept {
  return whose == handshake_of::dialer ? 4U << 10U : 64U << 10U;
}

/// Looks at the first header of a connection. Returns how many bytes follow it, or why nothing that
/// comes over this connection should be read, in words that go on after "a connection that".
[[nodiscard]] std::variant<std::uint32_t, std::string>
read_first_header(std::span<const std::byte, caf_header_bytes> header, handshake_of whose);

} // namespace mobula

// The header of CAF 0.17's protocol, as far as it has to be understood before CAF reads it: the
// operation, two bytes of padding, flags, the payload's length (big-endian, 32 bits), and three
// numbers of 64 bits. CAF makes room for whatever length stands there, from anybody, so the first
// header is looked at before CAF sees it.

#include "mobula/actors/caf/first_header.hpp"

#include <fmt/format.h>

namespace mobula {

namespace {

constexpr std::size_t operation_offset = 0;
constexpr std::size_t length_offset = 4;
constexpr std::size_t version_offset = 8;
constexpr std::size_t source_offset = 16;

template <class T>
T read_big_endian(std::span<const std::byte, caf_header_bytes> header, std::size_t offset) {
  T result = 0;
  for (std::size_t index = 0; index < sizeof(T); ++index)
    result = static_cast<T>(result << 8U) | std::to_integer<T>(header[offset + index]);
  return result;
}

bool has_actors(std::span<const std::byte, caf_header_bytes> header) {
  return read_big_endian<std::uint64_t>(header, source_offset) != 0
         || read_big_endian<std::uint64_t>(header, source_offset + sizeof(std::uint64_t)) != 0;
}

} // namespace

std::variant<std::uint32_t, std::string>
read_first_header(std::span<const std::byte, caf_header_bytes> header, handshake_of whose) {
  auto expected = static_cast<std::byte>(whose);
  // A listener names the version of the protocol; CAF refuses a header in which it is missing.
  auto names_version = read_big_endian<std::uint64_t>(header, version_offset) != 0;
  if (header[operation_offset] != expected || has_actors(header)
      || (whose == handshake_of::listener && !names_version))
    return std::string{"did not begin with the handshake of a CAF node"};
  auto length = read_big_endian<std::uint32_t>(header, length_offset);
  if (length == 0 || length > max_handshake_bytes(whose))
    return fmt::format("announced a handshake of {} bytes, but one has from 1 to {}", length,
                       max_handshake_bytes(whose));
  return length;
}

} // namespace mobula

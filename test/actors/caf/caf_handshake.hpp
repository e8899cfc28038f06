#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mobula/actors/caf/first_header.hpp"

namespace mobula::test {

/// Builds what a node of CAF's says first, byte by byte, or what it should not say.
struct caf_handshake {
  std::uint8_t operation = static_cast<std::uint8_t>(handshake_of::dialer);
  std::uint32_t announced_bytes = 36;
  std::uint64_t version = 0;
  std::uint8_t actor = 0; ///< the last byte of the header

  [[nodiscard]] std::vector<std::byte> header() const {
    std::vector<std::byte> result(caf_header_bytes);
    result[0] = std::byte{operation};
    for (std::size_t index = 0; index < 4; ++index)
      result[4 + index] = static_cast<std::byte>(announced_bytes >> (24 - 8 * index));
    for (std::size_t index = 0; index < 8; ++index)
      result[8 + index] = static_cast<std::byte>(version >> (56 - 8 * index));
    result.back() = std::byte{actor};
    return result;
  }

  [[nodiscard]] std::vector<std::byte> half_header() const {
    auto result = header();
    result.resize(result.size() / 2);
    return result;
  }

  /// The header and as many bytes as it announces.
  [[nodiscard]] std::vector<std::byte> whole() const {
    auto result = header();
    result.resize(result.size() + announced_bytes, std::byte{7});
    return result;
  }
};

} // namespace mobula::test

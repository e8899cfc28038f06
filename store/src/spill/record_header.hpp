#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/spill/spill_format.hpp"

/// The header of a spill record, for those who write, read and copy them.

namespace mobula::spill_format {

using header_bytes = std::array<std::byte, spill_header_bytes>;

inline constexpr std::string_view magic = "MOBSPILL";
inline constexpr std::uint32_t format_version = 1;

/// Where in the header a field begins.
namespace at {

inline constexpr std::size_t version = 8;
inline constexpr std::size_t header_size = 12;
inline constexpr std::size_t id = 16;
inline constexpr std::size_t metadata_size = 40;
inline constexpr std::size_t data_size = 48;
inline constexpr std::size_t metadata_hash = 56;
inline constexpr std::size_t data_hash = 64;
inline constexpr std::size_t header_hash = 72;

} // namespace at

template <class Number>
void put(header_bytes& header, std::size_t offset, Number value) {
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    header[offset + i] = static_cast<std::byte>(value >> (8 * i));
}

inline std::uint64_t get(const header_bytes& header, std::size_t offset) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i)
    value |= std::to_integer<std::uint64_t>(header[offset + i]) << (8 * i);
  return value;
}

/// Returns everything up to the hashes of metadata and data: what a reader knows beforehand.
inline header_bytes make_header_start(const object_id& id, std::uint64_t metadata_bytes,
                                      std::uint64_t data_bytes) {
  header_bytes header{};
  std::memcpy(header.data(), magic.data(), magic.size());
  put(header, at::version, format_version);
  put(header, at::header_size, static_cast<std::uint32_t>(spill_header_bytes));
  auto id_bytes = id.encode();
  std::ranges::copy(id_bytes, header.begin() + at::id);
  put(header, at::metadata_size, metadata_bytes);
  put(header, at::data_size, data_bytes);
  return header;
}

} // namespace mobula::spill_format

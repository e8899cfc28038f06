#pragma once

#include "mobula/serialization/codec_id.hpp"
#include "mobula/serialization/decoded.hpp"
#include "mobula/serialization/error_type.hpp"
#include "mobula/serialization/ids.hpp"
#include "mobula/serialization/layout.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mobula {

/// Bounds of what metadata may state, the same for encoder and decoder.
struct metadata_limits {
  static constexpr std::size_t type_name_bytes = std::size_t{64} << 10;
  static constexpr std::size_t nested = std::size_t{1} << 24;
  static constexpr std::size_t dimensions = 8;
};

/// Says what the data buffer of an object holds: enough to read it in another process or language.
/// Only `error` tells an error from a value; the data of both may well be the same bytes.
struct metadata {
  codec_id codec = codec_id::raw;
  std::string type_name{};
  /// Set when the object could not be made: the data are an encoded `error_info` then.
  std::optional<error_type> error{};
  /// Uncompressed size of the data buffer.
  std::uint64_t size_bytes = 0;
  /// `checksum_of` the data buffer; 0 when it was not computed, as in an arena.
  std::uint64_t checksum = 0;
  /// Extent of each dimension, outermost first; empty for all but `array<T>`.
  std::vector<std::uint64_t> shape{};
  /// The objects that the value refers to: they live at least as long as it.
  std::vector<object_id> nested{};
  /// What the structures in raw data look like, so that no other one is read from them.
  layout_fingerprint layout = layout_fingerprint::none;

  friend bool operator==(const metadata&, const metadata&) = default;
};

// -- encoding (docs/formats.md) -------------------------------------------------------------------

/// Returns the exact size of the encoded form of metadata with so many parts: known before there is
/// anything to encode.
[[nodiscard]] std::size_t encoded_metadata_size(std::size_t dimensions, std::size_t nested,
                                                std::size_t type_name_bytes,
                                                layout_fingerprint layout) noexcept;

/// Returns the exact size of the encoded form.
[[nodiscard]] std::size_t encoded_size(const metadata& meta) noexcept;

/// Throws `codec_error` when the metadata exceed `metadata_limits`, as does the next.
[[nodiscard]] std::vector<std::byte> encode(const metadata& meta);

/// Encodes in place. REQUIRES: `target.size() == encoded_size(meta)`.
void encode(const metadata& meta, std::span<std::byte> target);

/// Inverse of `encode`. Never throws on any bytes (short of having no memory). Bytes in which any
/// bit has changed since are refused by the checksum that they carry.
decoded<metadata> decode_metadata(std::span<const std::byte> bytes);

} // namespace mobula

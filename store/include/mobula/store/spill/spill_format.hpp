#pragma once

#include <cstddef>
#include <cstdint>

/// The spill file format, version 1.
///
/// A spill file is a sequence of records without gaps. It has no header or index of its own: where
/// a record begins and how long its parts are is known to the node that wrote it, and nobody reads
/// the file after that node's death. All numbers are little-endian.
///
///     offset  size  field
///          0     8  magic: the characters "MOBSPILL"
///          8     4  format version: 1
///         12     4  header size: 80
///         16    24  object id, in the form of `object_id::encode`
///                   (owner's incarnation: high 8, low 8; sequence 8)
///         40     8  m: metadata size in bytes
///         48     8  d: data size in bytes
///         56     8  XXH3-64, seed 0, of the metadata
///         64     8  XXH3-64, seed 0, of the data
///         72     8  XXH3-64, seed 0, of bytes 0 to 71
///         80     m  metadata, as in the store
///     80 + m     d  data, as in the store
///
/// The codec is part of the metadata. The record's size is 80 + m + d; the next one follows at
/// once. The header has its own checksum, so that a record is known as damaged before its sizes are
/// believed. The object id guards against reading a whole record of another object.
///
/// Files are named `mobula-<cluster>-<incarnation>-<number>.spill`: 32 hexadecimal digits of the
/// incarnation of the node that wrote it, and the decimal number of the file within that node's
/// life. `spill_claim.hpp` says how long they live.

namespace mobula {

/// Size of a record's header.
inline constexpr std::size_t spill_header_bytes = 80;

/// Returns the size of an object's record.
[[nodiscard]] constexpr std::uint64_t spill_record_bytes(std::uint64_t metadata_bytes,
                                                         std::uint64_t data_bytes) noexcept {
  return spill_header_bytes + metadata_bytes + data_bytes;
}

} // namespace mobula

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/system/io_calls.hpp"

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

/// An object to be written. The buffers must stay as they are during the write.
struct record_view {
  object_id id;
  std::span<const std::byte> metadata;
  std::span<const std::byte> data;

  /// XXH3-64 of the data, from whoever has it already: it takes as long as a copy.
  std::optional<std::uint64_t> data_hash{};
};

/// Where a record is to be read to, at exactly its sizes.
struct record_target {
  std::span<std::byte> metadata;
  std::span<std::byte> data;
};

/// One of several records to be read.
struct wanted_record {
  object_id id;
  record_target target;
};

/// What a write waits for.
enum class sync_policy {
  none,  ///< the page cache; a disk that fails later loses the record, which its checksum shows
  begin, ///< the same, but the disk gets to work at once instead of when dirty pages have piled up
  data   ///< the disk
};

/// How a write ended: the first `records_written` records are whole.
struct write_result {
  std::size_t records_written = 0;
  std::optional<io_failure> failure; ///< set if and only if records are missing
};

enum class read_status {
  intact,  ///< every checksum fits; the target holds the object
  damaged, ///< the target holds garbage
  missing, ///< there is no such file
  failed   ///< the system could not say; see `failure`
};

struct read_result {
  read_status status = read_status::intact;
  std::optional<io_failure> failure; ///< set for `missing` and `failed`
};

/// Writes records to a file, straight from their buffers. At offset zero the file must not exist
/// yet; at any other it must. After a failure the file must not be appended to again.
[[nodiscard]] write_result write_records(const std::filesystem::path& file, std::uint64_t offset,
                                         std::span<const record_view> records, sync_policy sync,
                                         const io_calls& calls = system_io_calls());

/// Reads and verifies records that lie side by side from `offset` on, with one read where that
/// works. Returns how each of them ended: what befalls one takes no other along.
[[nodiscard]] std::vector<read_result> read_records_at(const std::filesystem::path& file,
                                                       std::uint64_t offset,
                                                       std::span<const wanted_record> records,
                                                       const io_calls& calls = system_io_calls());

/// Removes a file. One that is not there counts as removed.
[[nodiscard]] std::optional<io_failure> remove_file(const std::filesystem::path& file,
                                                    const io_calls& calls = system_io_calls());

} // namespace mobula

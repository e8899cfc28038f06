#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/spill/spill_format.hpp"
#include "mobula/store/system/io_calls.hpp"

/// Writes and reads spill files. What is in them: `spill_format.hpp`.

namespace mobula {

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

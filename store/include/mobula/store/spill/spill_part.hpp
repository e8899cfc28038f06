#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "mobula/store/spill/spill_effects.hpp"
#include "mobula/store/system/io_calls.hpp"

namespace mobula {

/// What of a record is verified before a part of it is believed.
enum class record_check : std::uint8_t {
  header, ///< that it is this record
  whole   ///< that all of it is as it was written, which reads all of it
};

/// Reads a part of a record's data, from `data_offset` on, for those who send a large value on
/// without space for it. Returns whether the target holds it: the record may be damaged, or may
/// have been moved, and the file be gone. Blocks on the disk. REQUIRES: nothing of the record is
/// being written.
[[nodiscard]] bool read_part(const std::filesystem::path& file, const moving_record& record,
                             std::uint64_t data_offset, std::span<std::byte> target,
                             record_check check, const io_calls& calls = system_io_calls());

} // namespace mobula

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "mobula/store/spill/spill_effects.hpp"
#include "mobula/store/spill/spill_file.hpp"
#include "mobula/store/system/io_calls.hpp"

namespace mobula {

/// How records were copied: one end for each record in turn, up to the first that could not be
/// written.
struct copy_result {
  std::vector<record_move> records;
  std::optional<io_failure> failure; ///< of writing; set if and only if records are missing
};

/// Appends records of one spill file to another, in their order and without gaps, through a buffer
/// of bounded size. Each is verified before anything of it is written, and keeps the checksums that
/// it was spilled with: damage that comes later is found by whoever reads the copy. The rules of
/// `write_records` hold for the file that is written.
[[nodiscard]] copy_result copy_records(const std::filesystem::path& from,
                                       std::span<const moving_record> records,
                                       const std::filesystem::path& to, std::uint64_t offset,
                                       sync_policy sync, const io_calls& calls = system_io_calls());

} // namespace mobula

#pragma once

#include <cstdint>

namespace mobula {

/// Why an object's bytes did not reach a spill file. The copy in memory is whole in each case.
enum class spill_error : std::uint8_t {
  out_of_disk, ///< the disk, or the configured limit, has no room for it
  io_error,    ///< no directory takes writes
  canceled,    ///< the object was freed first
};

/// Why a spilled object could not be brought back.
enum class restore_error : std::uint8_t {
  record_lost, ///< its record is missing or damaged: it is never coming back from here
  io_error,    ///< the disk fails, the record may still be good
  canceled,    ///< the object was freed first
};

} // namespace mobula

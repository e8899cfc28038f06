#pragma once

#include <cstdint>

namespace mobula {

/// Why an object's bytes did not reach a spill file. The copy in memory is whole in each case.
enum class spill_error : std::uint8_t {
  out_of_disk,  ///< the disk has no space
  beyond_limit, ///< what is left of the configured limit is too little for it, not for smaller ones
  io_error,     ///< no directory takes writes
  canceled,     ///< the object was freed first
};

/// Counts how often spills that had failed became possible again. A failure and the news that
/// spills are possible may reach the store in any order: it tells by their rounds which came last.
enum class spill_round : std::uint64_t {};

/// Why a spilled object could not be brought back.
enum class restore_error : std::uint8_t {
  record_lost, ///< its record is missing or damaged: it is never coming back from here
  io_error,    ///< the disk fails, the record may still be good
  canceled,    ///< the object was freed first
};

} // namespace mobula

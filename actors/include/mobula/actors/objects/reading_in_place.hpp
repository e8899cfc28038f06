#pragma once

#include <cstdint>

namespace mobula {

/// Whether nodes of one host read values in each other's shared memory.
enum class reading_in_place : std::uint8_t {
  automatic, ///< where it can be proved that they share it
  off
};

} // namespace mobula

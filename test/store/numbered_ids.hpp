#pragma once

#include <cstdint>

#include "mobula/serialization/ids.hpp"

/// Names of what a test has several of.

namespace mobula::test {

inline object_id object_number(std::uint64_t number) {
  return {.owner = {.high = 7, .low = 7}, .sequence = number};
}

/// Returns the n-th of the other nodes.
inline incarnation_id node_number(std::uint64_t number) {
  return {.high = 0xA0, .low = number};
}

} // namespace mobula::test

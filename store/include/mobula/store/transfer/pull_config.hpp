#pragma once

#include <cstddef>
#include <cstdint>

#include "mobula/serialization/ids.hpp"

namespace mobula {

struct pull_config {
  incarnation_id self{};
  /// Bytes of one ask.
  std::uint64_t chunk_bytes = std::uint64_t{4} << 20;
  /// Asks under way for one object, and connections to one node that they are spread over.
  std::size_t chunks_per_pull = 4;
  std::size_t lanes_per_node = 2;
  /// Bytes asked for and not yet here, of all objects. One ask is always allowed.
  std::uint64_t max_asked_bytes = std::uint64_t{256} << 20;
  /// Objects that have a buffer or ask for it. Gets may go up to twice the number, and beyond the
  /// bytes.
  std::size_t max_admitted = 256;
  std::uint64_t max_admitted_bytes = std::uint64_t{1} << 30;
  /// Copies remembered of one object; more are ignored.
  std::size_t max_sources = 16;
  /// First wait after every copy has failed; doubles with each further one, ten times at most.
  std::uint64_t retry_ms = 50;
  /// How long a connection may bring nothing until what was asked over it is given up.
  std::uint64_t stall_ms = 10'000;
  /// How long an object without any copy is waited for.
  std::uint64_t locate_ms = 600'000;
};

} // namespace mobula

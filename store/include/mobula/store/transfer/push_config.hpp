#pragma once

#include <cstddef>
#include <cstdint>

namespace mobula {

struct push_config {
  /// Bytes of one chunk; longer asks are answered by several.
  std::uint64_t chunk_bytes = std::uint64_t{4} << 20;
  /// Chunks on their way out: of one connection, and of all.
  std::size_t sends_per_connection = 2;
  std::size_t max_sends = 16;
  /// Asks not yet answered: of one connection, and of all; more are refused as busy.
  std::size_t asks_per_connection = 1'024;
  std::size_t max_asks = 65'536;
  /// Nodes that may read one object at a time.
  std::size_t readers_per_object = 2;
  /// How often the place of an ask's bytes may turn out stale.
  std::size_t max_read_attempts = 3;
};

} // namespace mobula

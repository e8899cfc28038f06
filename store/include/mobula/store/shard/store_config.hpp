#pragma once

#include <cstddef>
#include <cstdint>

namespace mobula {

struct store_config {
  std::size_t capacity_bytes = 0;
  /// An object's id decides which of so many shards carries out what is to be done with it.
  std::uint32_t shards = 1;
  /// Above this share of the capacity, copies are evicted and spilled, down to `low_water`.
  double spill_threshold = 0.8;
  double low_water = 0.7;
  /// Creates that may wait for space at once; more are refused, but for those that come back since
  /// the heap had no extent for them. Readers that wait for a copy are not counted: that copy has
  /// its place already, and readers are not bounded.
  std::size_t max_waiting = 65'536;
  /// How many requests behind the oldest one are considered for overtaking it. Bounds the work of
  /// each event.
  std::size_t overtaking_window = 64;
};

} // namespace mobula

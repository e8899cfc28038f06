#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace mobula {

/// Settings of one node. `read_options` fills them from a CAF configuration and checks ranges.
struct node_options {
  /// Values up to this size live in the process heap and travel inside messages; larger ones live
  /// in a store shard.
  std::uint64_t inline_limit_bytes = 100ULL * 1024;

  /// Room for stored objects, all shards together.
  std::uint64_t store_size_bytes = 1ULL << 30U;

  /// Number of store shards.
  std::uint32_t shards = 2;

  /// Directories for spill files, used in turn. Empty: nothing is spilled, and a store that is full
  /// stays full until references go.
  std::vector<std::string> spill_directories;

  /// Bytes on disk, all directories together; 0: as much as there is.
  std::uint64_t spill_limit_bytes = 0;

  /// Size at which a spill file is closed.
  std::uint64_t spill_file_bytes = 128ULL << 20U;

  /// Share of a shard's room, in percent, above which idle objects are spilled.
  std::uint32_t spill_threshold_percent = 80;

  /// Threads that read and write spill files.
  std::uint32_t spill_workers = 2;

  /// How long a put waits in a store where nothing can move before it fails: readers may still let
  /// go. Measured by the actor system's clock.
  std::chrono::nanoseconds full_timeout = std::chrono::seconds{2};

  /// Room that each shard lends to creators ahead of need, so that a large put asks nobody. Never
  /// more than an eighth of the shard.
  std::uint64_t lent_bytes = 32ULL << 20U;

  /// Seed of the node's incarnation and so of all its ids; 0: drawn from the system.
  std::uint64_t seed = 0;

  /// Name of the cluster; part of the names of files that a node leaves on disk.
  std::string cluster = "mobula";
};

} // namespace mobula

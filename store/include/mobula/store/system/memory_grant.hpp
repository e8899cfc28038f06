#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

/// How much memory this process may use: what the machine has, and what memory cgroups leave of it.
///
/// A group limits all groups below it, so every level up to the mounted root counts. Pages of a
/// tmpfs count against the group of the process that touched them first, as its heap does: a store
/// in shared memory and the process heap share one grant.

namespace mobula {

/// What memory cgroups (version 2 or 1, all levels that can be seen) say. Nothing where none sets a
/// limit. `memory.high` counts as a limit like `memory.max`: a process above it hardly runs.
struct cgroup_memory {
  std::optional<std::uint64_t> granted_bytes; ///< the tightest limit
  std::optional<std::uint64_t> free_bytes;    ///< what no level has in use yet

  friend bool operator==(const cgroup_memory&, const cgroup_memory&) = default;
};

/// Reads the groups of this process. Page cache that the kernel would drop first is not in use.
/// What cannot be read sets no limit. `root` is `/`, but for tests.
[[nodiscard]] cgroup_memory read_cgroup_memory(const std::filesystem::path& root = "/");

/// Returns how much memory is granted to this process: the machine's, or less if a cgroup says so.
/// Default sizes are shares of this.
[[nodiscard]] std::uint64_t granted_memory_bytes(const std::filesystem::path& root = "/");

/// Returns how much of that is in use by nobody: more would be swapped or end in an OOM kill.
[[nodiscard]] std::uint64_t free_memory_bytes(const std::filesystem::path& root = "/");

} // namespace mobula

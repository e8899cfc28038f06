#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <variant>

#include "mobula/store/io_calls.hpp"

/// How large an arena may be without promising memory that is not there.

namespace mobula {

/// Returns how many bytes the memory cgroups of this process (version 2 or 1, all levels that can
/// be seen) still allow; nothing when none sets a limit. Page cache that the kernel would drop
/// first counts as allowed. `root` is `/`, but for tests.
[[nodiscard]] std::optional<std::uint64_t>
cgroup_free_bytes(const std::filesystem::path& root = "/");

/// Returns the lesser of what the directory's file system has free and what `cgroup_free_bytes`
/// says.
[[nodiscard]] std::variant<std::uint64_t, io_failure>
available_bytes(const std::filesystem::path& directory);

/// Returns 30 % of the physical memory, but at most `available_bytes`.
[[nodiscard]] std::variant<std::uint64_t, io_failure>
default_arena_bytes(const std::filesystem::path& directory);

} // namespace mobula

#pragma once

#include <cstdint>
#include <filesystem>
#include <variant>

#include "mobula/store/system/io_calls.hpp"

/// How large an arena may be without promising memory that is not there.

namespace mobula {

/// Returns the most that an arena in this directory may have: what its file system has free, but no
/// more than memory cgroups allow (see `read_cgroup_memory`; `root` is `/`, but for tests).
[[nodiscard]] std::variant<std::uint64_t, io_failure>
available_bytes(const std::filesystem::path& directory, const std::filesystem::path& root = "/");

/// Returns how large an arena in this directory is if nobody says: 30 % of the memory that is
/// granted to this process, at most half of what is free of it, and at most `available_bytes`.
[[nodiscard]] std::variant<std::uint64_t, io_failure>
default_arena_bytes(const std::filesystem::path& directory,
                    const std::filesystem::path& root = "/");

} // namespace mobula

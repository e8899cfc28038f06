#pragma once

#include <cstdint>
#include <string>

namespace mobula {

/// Two nodes with equal fields may be able to share memory. It takes a challenge through the arena
/// to know: equal boot ids say little about containers, and nothing about permissions.
struct host_identity {
  std::string boot_id;
  std::uint32_t user_id = 0;
  std::uint64_t mount_device = 0; ///< of the file system that holds the arena

  friend bool operator==(const host_identity&, const host_identity&) = default;
};

/// Describes this host for an arena in `arena_directory`. Reads files; thread-safe.
[[nodiscard]] host_identity identify_host(const std::string& arena_directory);

} // namespace mobula

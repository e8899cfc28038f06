#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "mobula/serialization/ids.hpp"

/// What lies where in an arena (docs/formats.md, "Arena"). Offsets only: each process maps the
/// segment at an address of its own.

namespace mobula {

inline constexpr std::size_t arena_header_bytes = 4'096;

/// Regions start at multiples of this, so that each can be mapped with its own protection whatever
/// the machine's page size is.
inline constexpr std::size_t arena_region_alignment = 65'536;

inline constexpr std::size_t arena_slot_bytes = 64;
inline constexpr std::uint32_t max_arena_shards = 128;
inline constexpr std::uint64_t max_slots_per_shard = 1ULL << 24;
inline constexpr std::size_t max_cluster_name_bytes = 128;

/// Part of an arena, in bytes from its start.
struct arena_range {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;

  friend bool operator==(const arena_range&, const arena_range&) = default;

  [[nodiscard]] std::uint64_t end() const noexcept {
    return offset + size;
  }

  /// Returns whether all of `part` is in here, whatever numbers it holds.
  [[nodiscard]] bool contains(const arena_range& part) const noexcept {
    return part.offset >= offset && part.offset - offset <= size
           && part.size <= size - (part.offset - offset);
  }
};

/// What the creator of an arena chooses.
struct arena_shape {
  std::size_t size_bytes = 0; ///< of the whole segment, rounded down to whole regions
  std::uint32_t shards = 1;
  std::uint64_t slots_per_shard = 1'024; ///< a power of two, at most `max_slots_per_shard`
};

/// Returns the shape of an arena whose heap has at least `heap_bytes`.
[[nodiscard]] arena_shape shape_for_heap(std::uint64_t heap_bytes, std::uint32_t shards,
                                         std::uint64_t slots_per_shard) noexcept;

/// Where everything is.
struct arena_layout {
  std::uint64_t total_bytes = 0;
  std::string cluster;
  incarnation_id incarnation;
  arena_range readers; ///< the registration words of reader processes
  arena_range table;   ///< of all shards, one part after the other
  std::uint64_t slots_per_shard = 0;
  std::uint32_t shards = 0;
  arena_range heap; ///< of all shards

  friend bool operator==(const arena_layout&, const arena_layout&) = default;

  /// Returns the part of the object table that one shard writes.
  [[nodiscard]] arena_range table_of(std::size_t shard) const noexcept;
};

/// Returns the layout; nothing when the shape leaves no space for a heap, has no shards or more
/// than `max_arena_shards`, or a number of slots that is not a power of two or too large.
[[nodiscard]] std::optional<arena_layout>
plan_arena(const arena_shape& shape, const std::string& cluster, const incarnation_id& incarnation);

using arena_header = std::array<std::byte, arena_header_bytes>;

/// REQUIRES: `layout` comes from `plan_arena`, its cluster's name is not too long.
[[nodiscard]] arena_header encode_header(const arena_layout& layout);

/// Why bytes are no arena that this version can read.
enum class arena_flaw { not_an_arena, of_other_user, wrong_version, damaged, truncated };

/// Reads a header that may be damaged or hostile: what it returns lies within `file_bytes`, in
/// order, aligned and without overlap.
[[nodiscard]] std::variant<arena_layout, arena_flaw>
decode_header(std::span<const std::byte, arena_header_bytes> header, std::uint64_t file_bytes);

} // namespace mobula

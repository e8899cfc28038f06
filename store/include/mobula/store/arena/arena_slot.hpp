#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/arena/arena_layout.hpp"
#include "mobula/store/arena/slot_word.hpp"

/// One slot of the object table, and where an object's slot is to be found (docs/formats.md,
/// "Object table").

namespace mobula {

/// How many neighbouring slots, from its home on, an object may be in: the bits of
/// `arena_slot::neighbours`. A bound on every search.
inline constexpr std::uint64_t slot_window = 32;

inline constexpr std::uint64_t data_alignment = 64;
inline constexpr std::uint64_t metadata_alignment = 8;

/// Where an object's two buffers are in its arena: the metadata follow the data.
struct arena_place {
  arena_range data;
  std::uint32_t metadata_size = 0;

  friend bool operator==(const arena_place&, const arena_place&) = default;

  [[nodiscard]] arena_range metadata() const noexcept {
    auto start = (data.end() + metadata_alignment - 1) / metadata_alignment * metadata_alignment;
    return {start, metadata_size};
  }
};

/// Returns whether an object may be there: aligned as its readers rely on, and within the heap.
[[nodiscard]] inline bool is_well_formed(const arena_place& place, arena_range heap) noexcept {
  // In this order: the metadata's offset only means something if the data do.
  return place.data.offset % data_alignment == 0 && heap.contains(place.data)
         && heap.contains(place.metadata());
}

/// As it lies in shared memory: one cache line, so that a search which finds its object at home,
/// as nearly all do, touches one line.
///
/// Id and place are written by the shard while the word is zero, and by nobody else: a shard that
/// dies half-way has told no reader of them. They are atomic since a reader compares ids before it
/// pins, while the shard may be writing; relaxed, as that look is a guess, and the pin's acquire
/// orders all later ones.
struct arena_slot {
  slot_word word;
  std::atomic<std::uint64_t> owner_high;
  std::atomic<std::uint64_t> owner_low;
  std::atomic<std::uint64_t> sequence;
  std::atomic<std::uint64_t> data_offset;
  std::atomic<std::uint64_t> data_size;
  std::atomic<std::uint32_t> metadata_size;
  /// Not about this slot's object: bit *i* says that an object whose home is here lies *i* slots
  /// further on. Written by the shard only, after the word of that slot. A hint that spares readers
  /// to look at the whole window; relaxed, since what it leads to is checked.
  std::atomic<std::uint32_t> neighbours;
  /// Set by readers after they pinned, cleared by the shard. A hint for the order of eviction that
  /// guards nothing; a death leaves it as good as before.
  std::atomic<std::uint32_t> read_mark;
  std::uint32_t reserved;

  [[nodiscard]] object_id id() const noexcept {
    return {{owner_high.load(std::memory_order_relaxed), owner_low.load(std::memory_order_relaxed)},
            sequence.load(std::memory_order_relaxed)};
  }

  /// Not to be believed: the memory is writable by every process of the user.
  [[nodiscard]] arena_place place() const noexcept {
    return {
      {data_offset.load(std::memory_order_relaxed), data_size.load(std::memory_order_relaxed)},
      metadata_size.load(std::memory_order_relaxed)};
  }

  /// Notes that a reader came by.
  void mark_read() noexcept {
    // Reading first keeps the cache line shared among readers of a popular object.
    if (read_mark.load(std::memory_order_relaxed) == 0)
      read_mark.store(1, std::memory_order_relaxed);
  }
};

static_assert(sizeof(arena_slot) == arena_slot_bytes);
static_assert(offsetof(arena_slot, neighbours) == 52);
static_assert(std::endian::native == std::endian::little, "the format is little-endian");

// -- where to look ------------------------------------------------------------

namespace detail {

inline constexpr std::uint64_t golden = 0x9E3779B97F4A7C15ULL;

} // namespace detail

/// Returns the shard that keeps an object, whoever its owner.
[[nodiscard]] constexpr std::uint32_t home_shard(std::uint64_t sequence,
                                                 std::uint32_t shards) noexcept {
  return static_cast<std::uint32_t>((sequence * detail::golden) >> 32U) % shards;
}

/// Returns the first slot of an object's window within its shard's table. Multiplied twice: after
/// one multiplication its bits and those that chose the shard would hang together.
[[nodiscard]] constexpr std::uint64_t home_slot(std::uint64_t sequence,
                                                std::uint64_t slots) noexcept {
  auto mixed = sequence * detail::golden;
  return (((mixed ^ (mixed >> 32U)) * detail::golden) >> 32U) & (slots - 1);
}

} // namespace mobula

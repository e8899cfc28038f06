#pragma once

#include <cstdint>
#include <vector>

#include "mobula/store/object_table.hpp"

#include "arena_fixture.hpp"

namespace mobula::test {

inline object_id object(std::uint64_t sequence) {
  return {first_node, sequence};
}

/// Returns the first `count` sequences from `start` on that share a home slot.
inline std::vector<std::uint64_t> neighbours(std::size_t count, std::uint64_t slots,
                                             std::uint64_t start = 1) {
  std::vector<std::uint64_t> result;
  for (auto sequence = start; result.size() < count; ++sequence)
    if (home_slot(sequence, slots) == home_slot(start, slots))
      result.push_back(sequence);
  return result;
}

/// An arena with one shard and its table.
struct table_fixture : arena_fixture {
  static constexpr std::uint64_t slots = 64;
  static constexpr std::uint64_t object_bytes = 64;

  arena_segment arena =
    create(layout(first_node, {.size_bytes = 1U << 20, .slots_per_shard = slots}));
  object_table table{arena, 0};

  table_fixture() {
    REQUIRE_FALSE(arena.commit(arena.layout().heaps.front()));
  }

  /// Returns the `number`-th place of the heap.
  object_place place(std::uint64_t number = 0) const {
    auto start = arena.layout().heaps.front().offset + number * 2 * object_bytes;
    return {{start, object_bytes}, {start + object_bytes, 8}};
  }

  /// Returns a slot as it lies in shared memory.
  arena_slot& shared(slot_handle slot) const {
    auto bytes = arena.bytes(arena.layout().table);
    return reinterpret_cast<arena_slot*>(bytes.data())[static_cast<std::size_t>(slot)];
  }

  slot_handle publish(std::uint64_t sequence) {
    auto result = table.publish(object(sequence), place(sequence % 1'000));
    REQUIRE(result != no_slot);
    return result;
  }
};

} // namespace mobula::test

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "mobula/store/arena/arena_reader.hpp"
#include "mobula/store/arena/arena_readers.hpp"
#include "mobula/store/arena/object_table.hpp"

#include "arena_fixture.hpp"

namespace mobula::test {

inline object_id object(std::uint64_t sequence) {
  return {first_node, sequence};
}

/// Returns the first `count` sequences that share the home slot of 1.
inline std::vector<std::uint64_t> neighbours(std::size_t count, std::uint64_t slots) {
  std::vector<std::uint64_t> result;
  for (std::uint64_t sequence = 1; result.size() < count; ++sequence)
    if (home_slot(sequence, slots) == home_slot(1, slots))
      result.push_back(sequence);
  return result;
}

/// An arena with one shard, its table, and objects of which every 8 bytes are their sequence.
struct table_fixture : arena_fixture {
  static constexpr std::uint64_t slots = 64;
  static constexpr std::uint64_t data_bytes = 192;
  static constexpr std::uint32_t metadata_bytes = 40;
  static constexpr std::uint64_t places = 1'000;

  arena_segment arena =
    create(layout(first_node, {.size_bytes = 1U << 20, .slots_per_shard = slots}));
  object_table table{arena, 0};
  arena_readers readers{arena};

  table_fixture() {
    REQUIRE_FALSE(arena.commit(arena.layout().heap));
  }

  std::unique_ptr<arena_reader> open_reader() const {
    auto result = arena_reader::open(arena.path());
    REQUIRE(std::holds_alternative<std::unique_ptr<arena_reader>>(result));
    return std::get<std::unique_ptr<arena_reader>>(std::move(result));
  }

  arena_place place(std::uint64_t number) const {
    auto start = arena.layout().heap.offset + number % places * 256;
    return {{start, data_bytes}, metadata_bytes};
  }

  /// Writes and publishes an object.
  slot_handle publish(std::uint64_t sequence) {
    auto where = place(sequence);
    for (auto range : {where.data, where.metadata()}) {
      auto bytes = arena.bytes(range);
      std::ranges::fill(std::span{reinterpret_cast<std::uint64_t*>(bytes.data()), bytes.size() / 8},
                        sequence);
    }
    auto result = table.publish(object(sequence), where);
    REQUIRE(result != no_slot);
    return result;
  }

  /// Returns a slot as it lies in shared memory.
  arena_slot& shared(slot_handle slot) const {
    return shared_slots()[static_cast<std::size_t>(slot)];
  }

  std::span<arena_slot> shared_slots() const {
    auto bytes = arena.bytes(arena.layout().table);
    return {reinterpret_cast<arena_slot*>(bytes.data()), slots};
  }

  /// Returns whether some reader has some object pinned.
  bool anything_pinned() const {
    return std::ranges::any_of(
      shared_slots(), [](const arena_slot& slot) { return slot.word.readers() != reader_set{}; });
  }

  /// Returns whether these are the bytes of that object.
  static bool holds(const pinned_object& pinned, std::uint64_t sequence) {
    auto all = [&](std::span<const std::byte> bytes) {
      std::span words{reinterpret_cast<const std::uint64_t*>(bytes.data()), bytes.size() / 8};
      return std::ranges::all_of(words, [&](auto word) { return word == sequence; });
    };
    return pinned.data.size() == data_bytes && pinned.metadata.size() == metadata_bytes
           && all(pinned.data) && all(pinned.metadata);
  }
};

} // namespace mobula::test

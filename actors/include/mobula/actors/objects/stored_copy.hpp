#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <caf/intrusive_ptr.hpp>

#include "mobula/actors/objects/copy_memory.hpp"
#include "mobula/actors/objects/mapped_copy.hpp"
#include "mobula/actors/objects/object_value.hpp"
#include "mobula/serialization/metadata.hpp"
#include "mobula/store/arena/pin_word.hpp"
#include "mobula/store/heap/heap_table.hpp"

namespace mobula {

/// The number of a copy that is pulled from another node, among this node's objects: what its shard
/// and the pull table call it. Not the object's own id, since a copy of a former entry may still be
/// read when the next one is pulled.
enum class pull_number : std::uint64_t { none = 0 };

/// What a copy has in the process heap, as the order of its entry's stripe knows it. Under the
/// stripe's mutex.
struct heap_part : heap_item {
  object_entry* entry = nullptr; ///< written before the part is in the order
};

/// One copy of an object whose bytes can move: of a large one in a store shard, of this node or of
/// another one of the host, or of a small one in the process heap, which may move into a shard. The
/// shard decides over the memory of what it has; the counted structure itself lives as long as the
/// shard or the object's entry, so that a view may outlive the shard.
class stored_copy {
public:
  /// Makes a copy with one count, and no memory yet.
  stored_copy(std::uint32_t shard, std::size_t size, std::size_t metadata_bytes,
              const type_descriptor& type) noexcept
    : shard(shard), size_bytes(size), metadata_bytes(metadata_bytes), value(type) {
    // nop
  }

  stored_copy(const stored_copy&) = delete;
  stored_copy& operator=(const stored_copy&) = delete;

  void add_ref() noexcept {
    references_.fetch_add(1, std::memory_order_relaxed);
  }

  /// Acquire-release: who frees the copy must see the last use of everybody else.
  void drop_ref() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete this;
  }

  /// Space for the value. REQUIRES: the memory is there.
  [[nodiscard]] std::span<std::byte> storage() const noexcept {
    return {memory.data(), size_bytes};
  }

  /// What the copy takes of an arena: the value, then its metadata at the next multiple of 8, so
  /// that other processes can read both (docs/formats.md, "Object table").
  [[nodiscard]] std::uint64_t arena_bytes() const noexcept {
    return metadata_offset() + metadata_bytes;
  }

  /// What the copy counts in the store's space: its value, and of the metadata what an arena's heap
  /// has no bytes for beside that space. With nested references they are as large as the value.
  [[nodiscard]] std::size_t space_bytes() const noexcept {
    return size_bytes + metadata_bytes - std::min(metadata_bytes, max_free_metadata_bytes);
  }

  /// Where the metadata are, from the start of the value.
  [[nodiscard]] std::uint64_t metadata_offset() const noexcept {
    return (size_bytes + 7) / 8 * 8;
  }

  /// Returns what the metadata say, but for the checksum: nobody hashes what stays in memory.
  [[nodiscard]] metadata describe() const;

  /// Writes the metadata behind the value. REQUIRES: the memory is in an arena, the value assigned.
  /// Throws `codec_error` for what metadata cannot say.
  void write_metadata() const;

  /// Drops what was decoded of the value, unless somebody reads it: then the last reader reports.
  /// Returns whether there is nothing decoded any more. Readers that come meanwhile find the copy
  /// closed, and are to be woken afterwards. REQUIRES: nobody else can close the copy.
  [[nodiscard]] bool drop_decoded() noexcept;

  /// Enough for all but nested references.
  static constexpr std::size_t max_free_metadata_bytes = 256;

  const std::uint32_t shard;
  const std::size_t size_bytes;
  const std::size_t metadata_bytes;

  /// Readers pin through this word; the shard takes the memory back through it.
  pin_word pins;

  /// The value; its bytes are valid while pinned.
  object_value value;

  /// Empty when the bytes are on disk only. Written by the shard while no reader can pin.
  copy_memory memory;

  /// Whether the bytes are in the process heap, where readers may pin them. Lowered when they leave
  /// it, while no reader can pin: what is pinned stays where it is. Relaxed where a pin orders it.
  std::atomic<bool> in_heap = false;

  heap_part value_part;   ///< the bytes, while they are in the heap
  heap_part decoded_part; ///< what was decoded of them

  /// Set if the copy is another node's, read where it is. Written before others know of the copy.
  std::unique_ptr<mapped_copy> place;

  /// Set if the copy was pulled from another node; the same.
  pull_number pulled_as = pull_number::none;

private:
  ~stored_copy() = default;

  std::atomic<std::uint32_t> references_ = 1;
};

inline void intrusive_ptr_add_ref(stored_copy* copy) noexcept {
  copy->add_ref();
}

inline void intrusive_ptr_release(stored_copy* copy) noexcept {
  copy->drop_ref();
}

/// Owns one count of a copy.
using copy_pointer = caf::intrusive_ptr<stored_copy>;

/// Returns whether a shard has the copy of an entry, which then has to be told of the object's end.
/// Does not change while nobody has a handle.
[[nodiscard]] bool in_shard(const object_entry& entry) noexcept;

/// Returns what the shard that has it calls the copy. REQUIRES: there is a copy in a shard of this
/// node.
[[nodiscard]] std::uint64_t number_in_shard(const object_entry& entry) noexcept;

/// Returns whether the entry's value, if it is here, is a copy that was pulled.
[[nodiscard]] bool is_pulled(const object_entry& entry) noexcept;

/// Returns a copy whose bytes are in the process heap, to be written and then opened.
[[nodiscard]] copy_pointer make_heap_copy(std::uint32_t shard, std::size_t size,
                                          std::size_t metadata_bytes, const type_descriptor& type,
                                          heap_charge charge);

/// Makes the bytes of a copy in the heap its value, and lets readers at them. REQUIRES: nobody else
/// knows the copy.
void open_heap_copy(stored_copy& copy, std::unique_ptr<object_extras> extras) noexcept;

} // namespace mobula

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <caf/intrusive_ptr.hpp>

#include "mobula/actors/object_value.hpp"
#include "mobula/store/pin_word.hpp"

namespace mobula {

/// Frees memory that was allocated with the alignment of stored objects.
struct free_aligned {
  void operator()(std::byte* pointer) const noexcept;
};

/// Bytes of one stored object: aligned to a cache line, so that vector instructions read them well.
using copy_memory = std::unique_ptr<std::byte[], free_aligned>;

/// Allocates `size` bytes, not zeroed. Throws `std::bad_alloc`.
copy_memory allocate_copy_memory(std::size_t size);

/// One copy of a large object in a store shard. The shard decides over its memory; the counted
/// structure itself lives as long as the shard or the object's entry, so that a view may outlive
/// the shard.
class stored_copy {
public:
  /// Makes a copy with one count and room for `size` bytes. Throws `std::bad_alloc`.
  stored_copy(std::uint32_t shard, std::size_t size, const type_descriptor& type)
    : shard(shard), size_bytes(size), value(type), memory(allocate_copy_memory(size)) {
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

  /// Room for the value. REQUIRES: the memory is there.
  [[nodiscard]] std::span<std::byte> storage() const noexcept {
    return {memory.get(), size_bytes};
  }

  const std::uint32_t shard;
  const std::size_t size_bytes;

  /// Readers pin through this word; the shard takes the memory back through it.
  pin_word pins;

  /// The value; its bytes are valid while pinned.
  object_value value;

  /// Empty when the bytes are on disk only. Written by the shard while no reader can pin.
  copy_memory memory;

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

} // namespace mobula

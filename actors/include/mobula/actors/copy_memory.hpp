#pragma once

#include <cstddef>
#include <memory>

#include "mobula/store/shared_heap.hpp"

namespace mobula {

/// Frees memory that was allocated with the alignment of stored objects.
struct free_aligned {
  void operator()(std::byte* pointer) const noexcept;
};

/// Where the bytes of a stored object are: in the arena, or, while an object of an actor waits for
/// room there, in the process heap. Aligned to a cache line in both. Goes back when it is
/// destroyed.
class copy_memory {
public:
  copy_memory() noexcept = default;

  explicit copy_memory(arena_block block) noexcept : block_(std::move(block)) {
    // nop
  }

  /// Takes memory outside of the arena, not zeroed. Throws `object_error` (`out_of_memory`).
  [[nodiscard]] static copy_memory outside(std::size_t size_bytes);

  [[nodiscard]] explicit operator bool() const noexcept {
    return in_arena() || outside_ != nullptr;
  }

  [[nodiscard]] bool in_arena() const noexcept {
    return static_cast<bool>(block_);
  }

  /// Null when empty.
  [[nodiscard]] std::byte* data() const noexcept {
    return in_arena() ? block_.bytes().data() : outside_.get();
  }

  /// REQUIRES: `in_arena()`.
  [[nodiscard]] const arena_block& block() const noexcept {
    return block_;
  }

  void reset() noexcept {
    *this = copy_memory{};
  }

private:
  arena_block block_;
  std::unique_ptr<std::byte[], free_aligned> outside_;
};

} // namespace mobula

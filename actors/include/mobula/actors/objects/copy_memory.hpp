#pragma once

#include <cstddef>
#include <memory>

#include "mobula/store/arena/shared_heap.hpp"
#include "mobula/store/heap/heap_budget.hpp"

namespace mobula {

/// Frees memory that was allocated with the alignment of stored objects.
struct free_aligned {
  void operator()(std::byte* pointer) const noexcept;
};

/// Where the bytes of a stored object are: in the arena; or in the process heap, while an object of
/// an actor waits for space there, or a small value lives there. Aligned to a cache line but for
/// small values. Goes back when it is destroyed, and so does what it took of the heap's limit.
class copy_memory {
public:
  copy_memory() noexcept = default;

  explicit copy_memory(arena_block block) noexcept : block_(std::move(block)) {
    // nop
  }

  /// Takes memory outside of the arena, not zeroed, for what waits for space there. Throws
  /// `object_error` (`out_of_memory`).
  [[nodiscard]] static copy_memory outside(std::size_t size_bytes, heap_charge charge);

  /// The same for a small value, which is copied when it moves: aligned as by `operator new`.
  /// Throws `std::bad_alloc`.
  [[nodiscard]] static copy_memory in_heap(std::size_t size_bytes, heap_charge charge);

  [[nodiscard]] explicit operator bool() const noexcept {
    return in_arena() || data() != nullptr;
  }

  [[nodiscard]] bool in_arena() const noexcept {
    return static_cast<bool>(block_);
  }

  /// Null when empty.
  [[nodiscard]] std::byte* data() const noexcept {
    if (in_arena())
      return block_.bytes().data();
    return outside_ != nullptr ? outside_.get() : in_heap_.get();
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
  std::unique_ptr<std::byte[]> in_heap_;
  heap_charge charge_; ///< for what is not in the arena
};

} // namespace mobula

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include "mobula/store/arena/arena_heap.hpp"
#include "mobula/store/arena/arena_segment.hpp"
#include "mobula/store/system/home_process.hpp"

namespace mobula {

class shared_heap;

/// Memory of one object in an arena's heap; goes back when it is destroyed. Keeps the arena mapped,
/// so that a view may outlive its node.
class arena_block {
public:
  arena_block() noexcept = default;

  arena_block(arena_block&& other) noexcept
    : heap_(std::move(other.heap_)), extent_(std::exchange(other.extent_, {})) {
    // nop
  }

  arena_block& operator=(arena_block&& other) noexcept {
    std::swap(heap_, other.heap_);
    std::swap(extent_, other.extent_);
    return *this;
  }

  ~arena_block();

  [[nodiscard]] explicit operator bool() const noexcept {
    return heap_ != nullptr;
  }

  /// Where it lies in the arena.
  [[nodiscard]] arena_range extent() const noexcept {
    return extent_;
  }

  /// REQUIRES: not empty.
  [[nodiscard]] std::span<std::byte> bytes() const noexcept;

private:
  friend class shared_heap;

  arena_block(std::shared_ptr<shared_heap> heap, arena_range extent) noexcept
    : heap_(std::move(heap)), extent_(extent) {
    // nop
  }

  std::shared_ptr<shared_heap> heap_;
  arena_range extent_;
};

/// What a heap is like at one moment.
struct shared_heap_figures {
  std::uint64_t size_bytes = 0;
  std::uint64_t used_bytes = 0;           ///< in extents, what rounding adds included
  std::uint64_t committed_bytes = 0;      ///< pages that hold memory, used or not
  std::uint64_t committed_free_bytes = 0; ///< free, and costs no page fault
  std::uint64_t largest_free_bytes = 0;
  std::uint64_t free_extents = 0;
  std::uint64_t late_commit_bytes = 0; ///< since the start: what creators had to wait for
};

/// Gives out the memory of an arena to any thread of its owner's process.
///
/// A mutex around `arena_heap`, held for the time of some tree operations and never during a page
/// fault: what an extent needs is committed by the thread that wants it, outside of the mutex.
/// Creators take memory themselves, so that a put asks no actor; whether they may is decided
/// before, by space that the store granted or lent. The heap therefore only fails where the granted
/// bytes do not lie side by side, or where the system has no memory for pages that are still
/// sparse.
///
/// Thread-safe. Blocks for page faults of what is not in stock.
class shared_heap : public std::enable_shared_from_this<shared_heap> {
public:
  /// REQUIRES: called once for an arena.
  [[nodiscard]] static std::shared_ptr<shared_heap>
  make(std::shared_ptr<const arena_segment> segment);

  /// Returns memory for `size_bytes`; nothing when no free extent is large enough, when the system
  /// refused pages for it (see `shortage`), or once the heap is closed.
  [[nodiscard]] std::optional<arena_block> allocate(std::uint64_t size_bytes);

  /// Commits free memory up to the stock, at most `step_bytes` at once. Returns whether there is
  /// more to do. Called by one thread at a time, of low priority. A failure is nobody's shortage,
  /// and ends the filling until memory is freed, or a creator gets more.
  [[nodiscard]] bool fill(page_stock stock, std::uint64_t step_bytes);

  /// Gives out no memory from now on. A shard that ends looks after its readers no more: what it
  /// frees may still be read by other processes, and must stay as it is until this one ends.
  void close() noexcept;

  /// Returns whether `fill` would find something to do.
  [[nodiscard]] bool below_stock(page_stock stock) const;

  /// Returns why the system last refused memory; nothing once it gave some again.
  [[nodiscard]] std::optional<io_failure> shortage() const;

  [[nodiscard]] shared_heap_figures figures() const;

  /// Recomputes the heap's sums and asserts that they agree.
  void check_invariants() const;

private:
  friend class arena_block;

  explicit shared_heap(std::shared_ptr<const arena_segment> segment);

  [[nodiscard]] std::optional<arena_block> allocate_committed(std::uint64_t size_bytes);
  void note_committed(arena_range range);
  [[nodiscard]] bool commit_for_creator(arena_range range);
  void free(arena_range extent) noexcept;

  std::shared_ptr<const arena_segment> segment_;
  arena_range range_;
  home_process home_;
  mutable std::mutex mutex_; ///< guards all below
  arena_heap heap_;
  std::optional<io_failure> shortage_; ///< of the latest creator that asked the system
  bool fill_failed_ = false;           ///< and nothing has changed since
  std::uint64_t late_commit_bytes_ = 0;
  bool closed_ = false;
};

} // namespace mobula

#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "mobula/store/arena/arena_layout.hpp"

namespace mobula {

/// How much free memory of a heap is to be kept committed, so that creators find pages ready: as
/// much as is in use, within bounds. A node that uses little pays for little, and one that puts a
/// lot finds the stock grown with it. Committed pages stay so, hence the stock of what was freed is
/// never low.
struct page_stock {
  /// Always as much, whatever is in use.
  constexpr page_stock(std::uint64_t bytes) noexcept : min_bytes(bytes), max_bytes(bytes) {
    // nop
  }

  constexpr page_stock(std::uint64_t least, std::uint64_t greatest) noexcept
    : min_bytes(least), max_bytes(greatest) {
    // nop
  }

  [[nodiscard]] constexpr std::uint64_t wanted(std::uint64_t used_bytes) const noexcept {
    return std::clamp(used_bytes, min_bytes, max_bytes);
  }

  friend bool operator==(const page_stock&, const page_stock&) = default;

  std::uint64_t min_bytes;
  std::uint64_t max_bytes; ///< not less
};

/// Gives out an arena's heap.
///
/// The idea: best fit over the free extents, kept by address (to merge neighbours) and by size (to
/// find the best), in O(log n). What is written down about the heap is in ordinary memory of the
/// one process that allocates, never in the heap itself. That is why this is not
/// Boost.Interprocess's `rbtree_best_fit`, which puts its tree between the objects: there, a
/// creator that writes past its object destroys the allocator, walking the tree touches pages that
/// may hold no memory (SIGBUS), headers push objects off their alignment, and nothing knows which
/// pages have been used before.
///
/// *Committed memory* is everything below one mark, which only rises: pages that were used once
/// stay. Extents below it are preferred, so that freed pages are used again before fresh ones are
/// touched. The heap plans what to commit; the caller does it (`arena_segment::commit`) and reports
/// success with `committed`. Every such range starts at or below the mark, however many commits are
/// under way at once, therefore no hole can stay behind it.
///
/// *Invariants.* Free extents are disjoint, and never touch: neighbours merge. Used + free = size.
/// Each free extent is in one of the two orders by size: `warm_` if it ends at or below the mark,
/// else `fresh_`. At most one, the first of the fresh, lies on both sides of the mark.
///
/// For one thread at a time. A crash of anybody else cannot harm it; with its own process the whole
/// arena ends.
class arena_heap {
public:
  /// Extents start at multiples of this, and take multiples of it: a cache line.
  static constexpr std::uint64_t alignment = 64;

  /// Those of large objects are pages instead. A copy from the start of a page, where large buffers
  /// are, to a little behind the start of one would take several times as long: the processor
  /// compares addresses within a page to find out whether a load depends on a store before it.
  static constexpr std::uint64_t page_alignment = 4096;

  /// From this size on; rounding costs less than 1/64 then.
  static constexpr std::uint64_t large_object_bytes = std::uint64_t{256} << 10U;

  struct allocation {
    arena_range extent; ///< at least as large as asked for; hand it back to `free` as it is
    /// Must be committed, and reported, before the extent is touched. Empty if it is warm.
    arena_range to_commit;
  };

  /// Returns how large a heap must be for objects of `space_bytes` in all, none of them smaller
  /// than `least_bytes`, to find place in any order as long as none goes: beside its bytes an
  /// object takes metadata, what is rounded up, and what is skipped to start with a page.
  [[nodiscard]] static std::uint64_t size_for(std::uint64_t space_bytes,
                                              std::uint64_t least_bytes) noexcept;

  /// REQUIRES: `heap` is a layout's heap.
  explicit arena_heap(arena_range heap);

  // -- extents ----------------------------------------------------------------

  /// Returns the best extent; nothing when no free one is large enough. An empty object gets an
  /// extent as well, so that its offset is its own.
  [[nodiscard]] std::optional<allocation> allocate(std::uint64_t size_bytes);

  /// Returns the best extent that is committed already; nothing when none is large enough.
  [[nodiscard]] std::optional<arena_range> allocate_committed(std::uint64_t size_bytes);

  /// Takes an extent back, committed or not. REQUIRES: from `allocate`, not yet freed.
  void free(arena_range extent);

  // -- committing -------------------------------------------------------------

  /// Returns what to commit next so that as much free memory is committed as `stock` wants; nothing
  /// when it is, or all of the heap is.
  [[nodiscard]] std::optional<arena_range> next_commit(page_stock stock) const;

  /// A range that `allocate` or `next_commit` named has been committed.
  void committed(arena_range range);

  /// Returns where committed memory ends.
  [[nodiscard]] std::uint64_t committed_end() const noexcept {
    return mark_;
  }

  // -- properties -------------------------------------------------------------

  [[nodiscard]] std::uint64_t used_bytes() const noexcept {
    return used_bytes_;
  }

  [[nodiscard]] std::uint64_t free_bytes() const noexcept {
    return heap_.size - used_bytes_;
  }

  /// Returns the free bytes that cost no page fault.
  [[nodiscard]] std::uint64_t committed_free() const noexcept;

  /// Returns the largest size that `allocate` would find space for, or up to a page less.
  [[nodiscard]] std::uint64_t largest_free() const noexcept;

  [[nodiscard]] std::size_t free_extents() const noexcept {
    return by_address_.size();
  }

  /// Recomputes every sum and order and asserts that they agree. O(n log n).
  void check_invariants() const;

private:
  struct sized_extent {
    std::uint64_t size;
    std::uint64_t offset;

    friend auto operator<=>(const sized_extent&, const sized_extent&) = default;
  };

  using address_order = std::map<std::uint64_t, std::uint64_t>; ///< size by offset
  using size_order = std::set<sized_extent>;

  /// What an object of some size takes.
  struct request {
    std::uint64_t size;
    std::uint64_t unit; ///< the extent's offset and size are multiples of it
  };

  [[nodiscard]] static request request_for(std::uint64_t size_bytes) noexcept;
  [[nodiscard]] static bool fits(arena_range free, request wanted) noexcept;
  [[nodiscard]] static std::optional<arena_range> best_of(const size_order& order, request wanted);
  [[nodiscard]] std::optional<arena_range> find(request wanted) const;
  arena_range take(arena_range free, request wanted);
  [[nodiscard]] std::optional<arena_range> extent_across_mark() const;
  size_order& order_of(arena_range extent) noexcept;
  void insert(arena_range extent);
  void erase(arena_range extent);
  [[nodiscard]] arena_range up_to(std::uint64_t end) const noexcept;

  arena_range heap_;
  std::uint64_t mark_; ///< raised by `committed`, never lowered
  std::uint64_t used_bytes_ = 0;
  std::uint64_t warm_bytes_ = 0; ///< sum of `warm_`
  address_order by_address_;     ///< all free extents
  size_order warm_;
  size_order fresh_;
};

} // namespace mobula

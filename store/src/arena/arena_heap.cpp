// Finds, splits and merges the free extents of an arena's heap: best fit, and memory that was
// committed before comes first. Nothing is written into the arena itself.

#include "mobula/store/arena/arena_heap.hpp"

#include <algorithm>
#include <iterator>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

/// Returns what the extents of objects of such a size are multiples of.
std::uint64_t unit_for(std::uint64_t size_bytes) {
  return size_bytes >= arena_heap::large_object_bytes ? arena_heap::page_alignment
                                                      : arena_heap::alignment;
}

/// Returns the largest object that a free extent can hold.
std::uint64_t largest_in(arena_range extent) {
  auto start = round_up(extent.offset, arena_heap::page_alignment);
  auto pages = start < extent.end()
                 ? (extent.end() - start) / arena_heap::page_alignment * arena_heap::page_alignment
                 : 0;
  if (pages >= arena_heap::large_object_bytes)
    return pages;
  return std::min(extent.size, arena_heap::large_object_bytes - arena_heap::alignment);
}

} // namespace

std::uint64_t arena_heap::size_for(std::uint64_t space_bytes, std::uint64_t least_bytes) noexcept {
  // Large objects lose less than two pages each, others a cache line and their metadata.
  constexpr auto large_loss = large_object_bytes / (2 * page_alignment);
  constexpr std::uint64_t small_loss_bytes = 128;
  return space_bytes + space_bytes / large_loss + space_bytes / least_bytes * small_loss_bytes
         + arena_region_alignment;
}

arena_heap::arena_heap(arena_range heap) : heap_(heap), mark_(heap.offset) {
  MOBULA_ASSERT(heap.size > 0 && heap.offset % arena_region_alignment == 0
                && heap.size % arena_region_alignment == 0);
  insert(heap);
}

// -- extents ------------------------------------------------------------------------

arena_heap::request arena_heap::request_for(std::uint64_t size_bytes) noexcept {
  auto unit = unit_for(size_bytes);
  return {round_up(std::max<std::uint64_t>(size_bytes, 1), unit), unit};
}

std::optional<arena_heap::allocation> arena_heap::allocate(std::uint64_t size_bytes) {
  // Beyond this, rounding up could overflow.
  if (size_bytes > heap_.size)
    return std::nullopt;
  auto wanted = request_for(size_bytes);
  auto found = find(wanted);
  if (!found)
    return std::nullopt;
  auto extent = take(*found, wanted);
  return allocation{extent, up_to(extent.end())};
}

std::optional<arena_range> arena_heap::allocate_committed(std::uint64_t size_bytes) {
  if (size_bytes > heap_.size)
    return std::nullopt;
  auto wanted = request_for(size_bytes);
  if (auto warm = best_of(warm_, wanted))
    return take(*warm, wanted);
  if (auto across = extent_across_mark();
      across && fits({across->offset, mark_ - across->offset}, wanted))
    return take(*across, wanted);
  return std::nullopt;
}

arena_range arena_heap::take(arena_range free, request wanted) {
  erase(free);
  arena_range extent{round_up(free.offset, wanted.unit), wanted.size};
  if (extent.offset > free.offset)
    insert({free.offset, extent.offset - free.offset});
  if (free.end() > extent.end())
    insert({extent.end(), free.end() - extent.end()});
  used_bytes_ += wanted.size;
  return extent;
}

void arena_heap::free(arena_range extent) {
  MOBULA_ASSERT(extent.size > 0 && extent.size <= used_bytes_ && extent.offset >= heap_.offset
                && extent.end() <= heap_.end());
  used_bytes_ -= extent.size;
  auto next = by_address_.lower_bound(extent.offset);
  if (next != by_address_.begin()) {
    auto [offset, size] = *std::prev(next);
    MOBULA_ASSERT(offset + size <= extent.offset);
    if (offset + size == extent.offset) {
      erase({offset, size});
      extent = {offset, size + extent.size};
    }
  }
  if (next != by_address_.end()) {
    auto [offset, size] = *next;
    MOBULA_ASSERT(extent.end() <= offset);
    if (extent.end() == offset) {
      erase({offset, size});
      extent.size += size;
    }
  }
  insert(extent);
}

bool arena_heap::fits(arena_range free, request wanted) noexcept {
  return round_up(free.offset, wanted.unit) + wanted.size <= free.end();
}

/// The smallest may begin in a bad place; with so much more, any does. All in between are looked at
/// only where nothing else is left: that could take long.
std::optional<arena_range> arena_heap::best_of(const size_order& order, request wanted) {
  auto enough = order.lower_bound({wanted.size + wanted.unit - alignment, 0});
  auto best = order.lower_bound({wanted.size, 0});
  if (best != enough && fits({best->offset, best->size}, wanted))
    return arena_range{best->offset, best->size};
  if (enough != order.end())
    return arena_range{enough->offset, enough->size};
  for (; best != enough; ++best)
    if (fits({best->offset, best->size}, wanted))
      return arena_range{best->offset, best->size};
  return std::nullopt;
}

/// Warm extents first, the smallest that fits; then one that is warm in part, since what is missing
/// continues the committed memory; then the smallest fresh one.
std::optional<arena_range> arena_heap::find(request wanted) const {
  if (auto best = best_of(warm_, wanted))
    return best;
  if (auto across = extent_across_mark(); across && fits(*across, wanted))
    return across;
  return best_of(fresh_, wanted);
}

/// Returns the free extent that lies on both sides of the mark.
std::optional<arena_range> arena_heap::extent_across_mark() const {
  auto next = by_address_.lower_bound(mark_);
  if (next == by_address_.begin())
    return std::nullopt;
  auto [offset, size] = *std::prev(next);
  return offset + size > mark_ ? std::optional{arena_range{offset, size}} : std::nullopt;
}

arena_heap::size_order& arena_heap::order_of(arena_range extent) noexcept {
  return extent.end() <= mark_ ? warm_ : fresh_;
}

void arena_heap::insert(arena_range extent) {
  auto& order = order_of(extent);
  by_address_.emplace(extent.offset, extent.size);
  order.insert({extent.size, extent.offset});
  if (&order == &warm_)
    warm_bytes_ += extent.size;
}

void arena_heap::erase(arena_range extent) {
  auto& order = order_of(extent);
  by_address_.erase(extent.offset);
  order.erase({extent.size, extent.offset});
  if (&order == &warm_)
    warm_bytes_ -= extent.size;
}

// -- committing ---------------------------------------------------------------------

/// Returns what is missing between the mark and a position. Whole regions, so that a stream of
/// small objects does not cost a system call each.
arena_range arena_heap::up_to(std::uint64_t end) const noexcept {
  if (end <= mark_)
    return {mark_, 0};
  // The heap ends with a region.
  return {mark_, round_up(end, arena_region_alignment) - mark_};
}

std::optional<arena_range> arena_heap::next_commit(page_stock stock) const {
  auto wanted = stock.wanted(used_bytes_);
  auto ready = committed_free();
  if (ready >= wanted || mark_ == heap_.end())
    return std::nullopt;
  return up_to(mark_ + std::min(wanted - ready, heap_.end() - mark_));
}

void arena_heap::committed(arena_range range) {
  MOBULA_ASSERT(range.offset <= mark_ && range.offset >= heap_.offset
                && range.end() <= heap_.end());
  auto before = mark_;
  mark_ = std::max(mark_, range.end());
  // Those that end between the two marks were fresh, and are warm now.
  auto position = by_address_.lower_bound(before);
  if (position != by_address_.begin())
    --position;
  for (; position != by_address_.end(); ++position) {
    auto [offset, size] = *position;
    if (offset + size > mark_)
      break;
    if (offset + size <= before)
      continue;
    fresh_.erase({size, offset});
    warm_.insert({size, offset});
    warm_bytes_ += size;
  }
}

// -- properties ---------------------------------------------------------------------

std::uint64_t arena_heap::committed_free() const noexcept {
  auto across = extent_across_mark();
  return warm_bytes_ + (across ? mark_ - across->offset : 0);
}

std::uint64_t arena_heap::largest_free() const noexcept {
  auto largest = [](const size_order& order) {
    return order.empty() ? 0 : largest_in({order.rbegin()->offset, order.rbegin()->size});
  };
  return std::max(largest(warm_), largest(fresh_));
}

void arena_heap::check_invariants() const {
  std::uint64_t free = 0;
  std::uint64_t warm = 0;
  auto previous_end = heap_.offset;
  auto first = true;
  for (auto [offset, size] : by_address_) {
    MOBULA_ASSERT(size > 0 && offset % alignment == 0 && size % alignment == 0);
    MOBULA_ASSERT(first ? offset >= previous_end : offset > previous_end);
    auto is_warm = offset + size <= mark_;
    MOBULA_ASSERT((is_warm ? warm_ : fresh_).contains({size, offset}));
    free += size;
    warm += is_warm ? size : 0;
    previous_end = offset + size;
    first = false;
  }
  MOBULA_ASSERT(previous_end <= heap_.end() && free + used_bytes_ == heap_.size);
  MOBULA_ASSERT(warm == warm_bytes_ && warm_.size() + fresh_.size() == by_address_.size());
  MOBULA_ASSERT(mark_ >= heap_.offset && mark_ <= heap_.end());
}

} // namespace mobula

// Gives memory of an arena to any thread of its owner's process. The mutex is never held during a
// page fault: what an extent needs is committed outside of it.

#include "mobula/store/arena/shared_heap.hpp"

#include <algorithm>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

// -- arena_block ------------------------------------------------------------------

arena_block::~arena_block() {
  if (heap_ != nullptr)
    heap_->free(extent_);
}

std::span<std::byte> arena_block::bytes() const noexcept {
  return heap_->segment_->bytes(extent_);
}

// -- shared_heap ------------------------------------------------------------------

std::shared_ptr<shared_heap> shared_heap::make(std::shared_ptr<const arena_segment> segment) {
  return std::shared_ptr<shared_heap>{new shared_heap(std::move(segment))};
}

shared_heap::shared_heap(std::shared_ptr<const arena_segment> segment)
  : segment_(std::move(segment)), range_(segment_->layout().heap), heap_(range_) {
  // nop
}

std::optional<arena_block> shared_heap::allocate(std::uint64_t size_bytes) {
  std::optional<arena_heap::allocation> found;
  {
    std::unique_lock guard{mutex_};
    if (!closed_)
      found = heap_.allocate(size_bytes);
  }
  if (!found)
    return std::nullopt;
  arena_block block{shared_from_this(), found->extent};
  if (found->to_commit.size == 0 || commit_for_creator(found->to_commit))
    return block;
  // The block goes back as it is: committed or not, the heap takes it. Others may have freed memory
  // that is committed while this thread asked for more.
  block = arena_block{};
  return allocate_committed(size_bytes);
}

std::optional<arena_block> shared_heap::allocate_committed(std::uint64_t size_bytes) {
  std::unique_lock guard{mutex_};
  auto extent = closed_ ? std::nullopt : heap_.allocate_committed(size_bytes);
  if (!extent)
    return std::nullopt;
  return arena_block{shared_from_this(), *extent};
}

bool shared_heap::fill(page_stock stock, std::uint64_t step_bytes) {
  std::optional<arena_range> next;
  {
    std::unique_lock guard{mutex_};
    if (!fill_failed_)
      next = heap_.next_commit(stock);
  }
  if (!next)
    return false;
  // A part of the range: what is left is planned anew, since creators commit meanwhile.
  next->size = std::min(next->size, step_bytes);
  auto failure = segment_->commit(*next);
  std::unique_lock guard{mutex_};
  if (failure) {
    fill_failed_ = true;
    return false;
  }
  note_committed(*next);
  return heap_.next_commit(stock).has_value();
}

void shared_heap::close() noexcept {
  std::unique_lock guard{mutex_};
  closed_ = true;
}

bool shared_heap::below_stock(page_stock stock) const {
  std::unique_lock guard{mutex_};
  return !fill_failed_ && heap_.next_commit(stock).has_value();
}

/// The system gives memory again. REQUIRES: the mutex is held.
void shared_heap::note_committed(arena_range range) {
  heap_.committed(range);
  shortage_.reset();
  fill_failed_ = false;
}

bool shared_heap::commit_for_creator(arena_range range) {
  auto failure = segment_->commit(range);
  std::unique_lock guard{mutex_};
  if (failure) {
    shortage_ = failure;
    return false;
  }
  note_committed(range);
  late_commit_bytes_ += range.size;
  return true;
}

void shared_heap::free(arena_range extent) noexcept {
  // The memory is the parent's, whose threads may have held the mutex.
  if (!home_.is_this())
    return;
  std::unique_lock guard{mutex_};
  heap_.free(extent);
  fill_failed_ = false;
}

std::optional<io_failure> shared_heap::shortage() const {
  std::unique_lock guard{mutex_};
  return shortage_;
}

shared_heap_figures shared_heap::figures() const {
  std::unique_lock guard{mutex_};
  return {.size_bytes = range_.size,
          .used_bytes = heap_.used_bytes(),
          .committed_bytes = heap_.committed_end() - range_.offset,
          .committed_free_bytes = heap_.committed_free(),
          .largest_free_bytes = heap_.largest_free(),
          .free_extents = heap_.free_extents(),
          .late_commit_bytes = late_commit_bytes_};
}

void shared_heap::check_invariants() const {
  std::unique_lock guard{mutex_};
  heap_.check_invariants();
}

} // namespace mobula

#include "mobula/store/shard_heap.hpp"

#include <algorithm>

#include "mobula/store/assertion.hpp"

namespace mobula {

// -- arena_block ------------------------------------------------------------------

arena_block::~arena_block() {
  if (heap_ != nullptr)
    heap_->free(extent_);
}

std::span<std::byte> arena_block::bytes() const noexcept {
  return heap_->segment_->bytes(extent_);
}

// -- shard_heap -------------------------------------------------------------------

std::shared_ptr<shard_heap> shard_heap::make(std::shared_ptr<const arena_segment> segment,
                                             std::size_t shard) {
  return std::shared_ptr<shard_heap>{new shard_heap(std::move(segment), shard)};
}

shard_heap::shard_heap(std::shared_ptr<const arena_segment> segment, std::size_t shard)
  : segment_(std::move(segment)), range_(segment_->layout().heaps.at(shard)), heap_(range_) {
  // nop
}

std::optional<arena_block> shard_heap::allocate(std::uint64_t size_bytes) {
  std::optional<arena_heap::allocation> found;
  {
    std::unique_lock guard{mutex_};
    if (!closed_)
      found = heap_.allocate(size_bytes);
    if (found)
      late_commit_bytes_ += found->to_commit.size;
  }
  if (!found)
    return std::nullopt;
  arena_block block{shared_from_this(), found->extent};
  // On failure the block goes back as it is: committed or not, the heap takes it.
  if (found->to_commit.size > 0 && !commit(found->to_commit))
    return std::nullopt;
  return block;
}

bool shard_heap::fill(page_stock stock, std::uint64_t step_bytes) {
  std::optional<arena_range> next;
  {
    std::unique_lock guard{mutex_};
    next = heap_.next_commit(stock);
  }
  if (!next)
    return false;
  // A part of the range: what is left is planned anew, since creators commit meanwhile.
  next->size = std::min(next->size, step_bytes);
  return commit(*next) && below_stock(stock);
}

void shard_heap::close() noexcept {
  std::unique_lock guard{mutex_};
  closed_ = true;
}

bool shard_heap::below_stock(page_stock stock) const {
  std::unique_lock guard{mutex_};
  return heap_.next_commit(stock).has_value();
}

bool shard_heap::commit(arena_range range) {
  auto failure = segment_->commit(range);
  std::unique_lock guard{mutex_};
  shortage_ = failure;
  if (failure)
    return false;
  heap_.committed(range);
  return true;
}

void shard_heap::free(arena_range extent) noexcept {
  // The memory is the parent's, whose threads may have held the mutex.
  if (!home_.is_this())
    return;
  std::unique_lock guard{mutex_};
  heap_.free(extent);
}

std::optional<io_failure> shard_heap::shortage() const {
  std::unique_lock guard{mutex_};
  return shortage_;
}

shard_heap_figures shard_heap::figures() const {
  std::unique_lock guard{mutex_};
  return {.size_bytes = range_.size,
          .used_bytes = heap_.used_bytes(),
          .committed_bytes = heap_.committed_end() - range_.offset,
          .committed_free_bytes = heap_.committed_free(),
          .largest_free_bytes = heap_.largest_free(),
          .free_extents = heap_.free_extents(),
          .late_commit_bytes = late_commit_bytes_};
}

void shard_heap::check_invariants() const {
  std::unique_lock guard{mutex_};
  heap_.check_invariants();
}

} // namespace mobula

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace mobula {

/// What a `store_table` knows of the pieces that the heap's free memory lies in: only that the heap
/// had no extent for some size, and whether memory came back to it since.
class heap_pieces {
public:
  /// Whether the heap is known to have no extent for this size.
  [[nodiscard]] bool has_none(std::size_t size_bytes) const noexcept {
    return refused_bytes_ && size_bytes >= *refused_bytes_;
  }

  /// Counts how often memory came back to the heap.
  [[nodiscard]] std::uint64_t returns() const noexcept {
    return returns_;
  }

  void memory_came_back() noexcept {
    ++returns_;
    refused_bytes_.reset();
  }

  /// What came back since `granted_after` may have come too late for it, but not for the next try.
  void refused(std::size_t size_bytes, std::uint64_t granted_after) noexcept {
    if (granted_after == returns_)
      refused_bytes_ = std::min(size_bytes, refused_bytes_.value_or(size_bytes));
  }

  /// The last request that waited is gone.
  void nobody_waits() noexcept {
    refused_bytes_.reset();
  }

private:
  std::optional<std::size_t> refused_bytes_; ///< the least size
  std::uint64_t returns_ = 0;
};

} // namespace mobula

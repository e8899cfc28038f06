#pragma once

#include <cstddef>
#include <map>

#include "mobula/serialization/ids.hpp"

namespace mobula::test {

/// Memory in which objects lie side by side at the first place that fits, so that gaps between them
/// may be too small for what is free in all.
class gap_heap {
public:
  explicit gap_heap(std::size_t size) : size_(size) {
  }

  /// Returns whether there was a gap.
  bool take(const object_id& id, std::size_t size) {
    std::size_t start = 0;
    for (const auto& [next, extent] : extents_) {
      if (next - start >= size)
        break;
      start = next + extent.size;
    }
    if (size_ - start < size)
      return false;
    extents_.emplace(start, extent{id, size});
    return true;
  }

  void free(const object_id& id) {
    std::erase_if(extents_, [&](const auto& entry) { return entry.second.id == id; });
  }

private:
  struct extent {
    object_id id;
    std::size_t size;
  };

  std::size_t size_;
  std::map<std::size_t, extent> extents_; ///< by start
};

} // namespace mobula::test

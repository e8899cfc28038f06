#pragma once

#include <cstddef>

namespace mobula::test {

/// Has one of the allocations that the calling thread is about to make fail; one at a time. Only in
/// programs with failing_memory.cpp.
class failing_allocation {
public:
  /// 1 is the next allocation.
  explicit failing_allocation(std::size_t number) noexcept;

  failing_allocation(const failing_allocation&) = delete;
  failing_allocation& operator=(const failing_allocation&) = delete;

  ~failing_allocation();
};

} // namespace mobula::test

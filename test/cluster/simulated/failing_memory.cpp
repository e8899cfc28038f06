// The program's own `new`, which fails when a test says so. Kept apart from what calls it: a
// compiler that sees both takes `free` for the wrong end of `new`.

#include "failing_memory.hpp"

#include <cstdlib>
#include <new>

namespace {

/// Allocations of this thread up to the one that fails; 0: none does.
thread_local std::size_t allocations_left = 0;

} // namespace

namespace mobula::test {

failing_allocation::failing_allocation(std::size_t number) noexcept {
  allocations_left = number;
}

failing_allocation::~failing_allocation() {
  allocations_left = 0;
}

} // namespace mobula::test

void* operator new(std::size_t size) {
  if (allocations_left > 0 && --allocations_left == 0)
    throw std::bad_alloc{};
  if (auto* memory = std::malloc(size > 0 ? size : 1))
    return memory;
  throw std::bad_alloc{};
}

// A sanitizer has one of its own, and would take our `delete` for the wrong end of it.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  if (allocations_left > 0 && --allocations_left == 0)
    return nullptr;
  return std::malloc(size > 0 ? size : 1);
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}

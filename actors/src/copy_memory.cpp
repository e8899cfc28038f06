#include "mobula/actors/copy_memory.hpp"

#include <new>

namespace mobula {

namespace {

constexpr std::align_val_t copy_alignment{arena_heap::alignment};

} // namespace

void free_aligned::operator()(std::byte* pointer) const noexcept {
  ::operator delete(pointer, copy_alignment);
}

copy_memory copy_memory::outside(std::size_t size_bytes) {
  copy_memory result;
  result.outside_.reset(static_cast<std::byte*>(::operator new(size_bytes, copy_alignment)));
  return result;
}

} // namespace mobula

#include "mobula/actors/stored_copy.hpp"

#include <new>

namespace mobula {

namespace {

constexpr std::align_val_t copy_alignment{64};

} // namespace

void free_aligned::operator()(std::byte* pointer) const noexcept {
  ::operator delete(pointer, copy_alignment);
}

copy_memory allocate_copy_memory(std::size_t size) {
  return copy_memory{static_cast<std::byte*>(::operator new(size, copy_alignment))};
}

} // namespace mobula

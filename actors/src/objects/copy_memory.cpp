// Allocates memory outside of the arena, for values that stay in the process heap or wait there for
// space in a shard, and has it count against the heap's limit.

#include "mobula/actors/objects/copy_memory.hpp"

#include <new>
#include <utility>

#include <fmt/format.h>

#include "mobula/serialization/counted.hpp"
#include "mobula/serialization/error.hpp"

namespace mobula {

namespace {

constexpr std::align_val_t copy_alignment{arena_heap::alignment};

} // namespace

void free_aligned::operator()(std::byte* pointer) const noexcept {
  ::operator delete(pointer, copy_alignment);
}

copy_memory copy_memory::outside(std::size_t size_bytes, heap_charge charge) {
  copy_memory result;
  auto* memory = ::operator new(size_bytes, copy_alignment, std::nothrow);
  if (memory == nullptr)
    throw object_error{
      {.type = error_type::out_of_memory,
       .message = fmt::format("the store has no space at once for an object of {}, and the "
                              "process no memory to keep it meanwhile; put it from a thread that "
                              "may wait, or put smaller objects",
                              counted(size_bytes, "byte"))}};
  result.outside_.reset(static_cast<std::byte*>(memory));
  result.charge_ = std::move(charge);
  return result;
}

copy_memory copy_memory::in_heap(std::size_t size_bytes, heap_charge charge) {
  copy_memory result;
  result.in_heap_ = std::make_unique_for_overwrite<std::byte[]>(size_bytes);
  result.charge_ = std::move(charge);
  return result;
}

} // namespace mobula

// Describes a copy whose bytes can move, and drops what was decoded of it: readers are shut out for
// that moment only, and the decoded value dies when they are let in again.

#include "mobula/actors/objects/stored_copy.hpp"

#include <utility>

#include "mobula/actors/objects/object_entry.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

metadata stored_copy::describe() const {
  return value.describe_as(size_bytes);
}

bool stored_copy::drop_decoded() noexcept {
  if (!pins.try_close())
    return !value.has_decoded();
  // It dies when the copy is open again: that may take long, and who comes then need not wait.
  auto decoded = value.take_decoded();
  pins.reopen();
  return true;
}

void stored_copy::write_metadata() const {
  MOBULA_ASSERT(memory.in_arena());
  encode(describe(), memory.block().bytes().subspan(metadata_offset(), metadata_bytes));
}

copy_pointer make_heap_copy(std::uint32_t shard, std::size_t size, std::size_t metadata_bytes,
                            const type_descriptor& type, heap_charge charge) {
  copy_pointer copy{new stored_copy(shard, size, metadata_bytes, type), false};
  copy->memory = copy_memory::in_heap(size, std::move(charge));
  copy->in_heap.store(true, std::memory_order_relaxed);
  return copy;
}

void open_heap_copy(stored_copy& copy, std::unique_ptr<object_extras> extras) noexcept {
  copy.value.assign(copy.storage(), std::move(extras));
  copy.pins.reset();
}

bool in_shard(const object_entry& entry) noexcept {
  const auto* copy = entry.copy();
  return copy != nullptr && copy->place == nullptr
         && !copy->in_heap.load(std::memory_order_acquire);
}

std::uint64_t number_in_shard(const object_entry& entry) noexcept {
  auto pulled_as = entry.copy()->pulled_as;
  return pulled_as == pull_number::none ? entry.sequence() : static_cast<std::uint64_t>(pulled_as);
}

bool is_pulled(const object_entry& entry) noexcept {
  const auto* copy = entry.copy();
  return copy != nullptr && copy->pulled_as != pull_number::none;
}

} // namespace mobula

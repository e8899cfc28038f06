// Memory of an object that its caller fills in place: in the heap or the store, as its size says,
// and sealed without a copy unless the store had no space at once.

#include "mobula/object_builder.hpp"

#include <fmt/format.h>

#include "mobula/actors/shard/refusal_error.hpp"
#include "mobula/serialization/counted.hpp"

namespace mobula {

using namespace internal;

basic_object_builder::basic_object_builder(node_core& core, std::size_t size_bytes,
                                           const type_descriptor& type, const array_shape* shape,
                                           const call_site& where)
  : core_(&core), size_bytes_(size_bytes) {
  if (shape != nullptr)
    require_shape(*shape, shape->elements());
  if (stays_in_heap(core, size_bytes)) {
    charge_ = heap_for_small(core.local_stripe(), size_bytes);
    entry_.emplace(core, size_bytes, type, where);
    return;
  }
  entry_.emplace(core, 0, type, where);
  auto sequence = (*entry_)->sequence();
  auto size = size_of_draft(size_bytes, type, 0, shape);
  if (auto charge = heap_for_movable(core, size_bytes)) {
    in_heap_ = make_heap_copy(core, sequence, size, type, std::move(charge));
    return;
  }
  // A creator that does not wait for space gets memory elsewhere, but not for what will never have
  // space.
  if (size_bytes > core.options().store_size_bytes)
    throw object_error{larger_than_store(core.options(), (*entry_)->id(), size_bytes)};
  copy_.emplace(core, sequence, size, type, when_full::defer);
}

std::span<std::byte> basic_object_builder::storage() noexcept {
  if (!entry_)
    return {};
  if (in_heap_ != nullptr)
    return in_heap_->storage();
  return copy_ ? copy_->storage() : (*entry_)->storage(size_bytes_);
}

void basic_object_builder::require_unsealed() const {
  core_->require_home();
  if (entry_)
    return;
  throw object_error{
    {.type = error_type::invalid_argument,
     .message = sealed_ ? "this object is sealed; its elements cannot change any more"
                        : "this object could not be sealed, and its elements are gone; create it "
                          "anew"}};
}

object_handle basic_object_builder::seal_bytes(const array_shape* shape) {
  if (core_->closing())
    throw object_error{core_->shutting_down_error()};
  encode_scope no_references;
  auto extras = make_extras(no_references, shape);
  if (in_heap_ != nullptr) {
    open_heap_copy(*in_heap_, std::move(extras));
    entry_->publish_stored(*in_heap_);
    in_heap_.reset();
  } else if (!copy_) {
    entry_->publish_inline(size_bytes_, std::move(extras), std::move(charge_));
  }
  auto entry = entry_->announce();
  // The object is on its way now: nothing is left here that could be sealed again.
  entry_.reset();
  if (copy_)
    seal_copy(entry, std::move(extras));
  sealed_ = true;
  return entry;
}

void basic_object_builder::seal_copy(const object_handle& entry,
                                     std::unique_ptr<object_extras> extras) {
  try {
    copy_->seal(entry, std::move(extras));
    copy_.reset();
  } catch (...) {
    copy_.reset();
    throw;
  }
  await_space(*entry.get());
}

void basic_object_builder::throw_too_large(std::uint64_t elements, std::size_t element_size) {
  throw object_error{
    {.type = error_type::invalid_argument,
     .message = fmt::format("{} of {} are more than memory can "
                            "address",
                            counted(elements, "element"), counted(element_size, "byte"))}};
}

} // namespace mobula

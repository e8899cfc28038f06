// The bytes of a value, and the one decoded value that all readers share: the first one decodes,
// and the others wait for that on one word.

#include "mobula/actors/objects/object_value.hpp"

#include <utility>

namespace mobula {

object_value::~object_value() {
  if (auto* value = decoded_.load(std::memory_order_acquire); is_decoded(value))
    delete value;
}

void object_value::assign(std::span<const std::byte> bytes,
                          std::unique_ptr<object_extras> extras) noexcept {
  data_ = bytes.data();
  size_ = bytes.size();
  extras_ = std::move(extras);
}

metadata object_value::describe() const {
  return describe_as(size_);
}

metadata object_value::describe_as(std::size_t size_bytes) const {
  metadata result;
  result.codec = type_->codec;
  result.type_name = type_->name;
  result.size_bytes = size_bytes;
  result.layout = layout();
  if (extras_ != nullptr) {
    result.shape.assign(extras_->shape.extents().begin(), extras_->shape.extents().end());
    for (std::size_t index = 0; index < extras_->nested.entries().size(); ++index)
      result.nested.push_back(extras_->nested.id_in_value(index));
  }
  return result;
}

void object_value::assign_failure(error_info reason) {
  extras_ = std::make_unique<object_extras>();
  extras_->failure = std::make_unique<error_info>(std::move(reason));
}

void object_value::rebind(std::span<const std::byte> bytes) noexcept {
  data_ = bytes.data();
  size_ = bytes.size();
  take_decoded().reset();
}

std::unique_ptr<decoded_value> object_value::take_decoded() noexcept {
  auto* value = decoded_.exchange(nullptr, std::memory_order_acq_rel);
  return std::unique_ptr<decoded_value>{is_decoded(value) ? value : nullptr};
}

decoded_value* object_value::claim_or_wait() noexcept {
  for (;;) {
    decoded_value* current = nullptr;
    if (decoded_.compare_exchange_strong(current, decoding_mark(), std::memory_order_acquire))
      return nullptr;
    if (is_decoded(current))
      return current;
    decoded_.wait(current, std::memory_order_acquire);
  }
}

void object_value::publish(decoded_value* result) noexcept {
  decoded_.store(result, std::memory_order_release);
  decoded_.notify_all();
}

} // namespace mobula

#pragma once

#include <utility>

#include "mobula/actors/objects/object_entry.hpp"

namespace mobula {

/// One counted handle on an entry: what an `ObjectRef` is made of. Empty, or keeps its object
/// alive. Copying and destroying touches one atomic; as thread-safe as a `std::shared_ptr`.
class object_handle {
public:
  object_handle() noexcept = default;

  /// Takes over a handle that the caller owns.
  [[nodiscard]] static object_handle adopt(object_entry* entry) noexcept {
    object_handle result;
    result.entry_ = entry;
    return result;
  }

  object_handle(const object_handle& other) noexcept : entry_(other.entry_) {
    if (entry_ != nullptr)
      entry_->add_handle();
  }

  object_handle(object_handle&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {
    // nop
  }

  object_handle& operator=(object_handle other) noexcept {
    std::swap(entry_, other.entry_);
    return *this;
  }

  ~object_handle() {
    if (entry_ != nullptr)
      entry_->drop_handle();
  }

  [[nodiscard]] object_entry* get() const noexcept {
    return entry_;
  }

  object_entry* operator->() const noexcept {
    return entry_;
  }

  [[nodiscard]] explicit operator bool() const noexcept {
    return entry_ != nullptr;
  }

private:
  object_entry* entry_ = nullptr;
};

} // namespace mobula

#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "mobula/actors/object_entry.hpp"

namespace mobula {

/// Says that a view that was moved from was read.
[[noreturn]] void throw_moved_from();

/// A reader's handle on the value of an object. While it lives, the value stays where it is,
/// whatever happens to the reference that it came from, to the object or to the node (I3). All
/// views of one object in a process show the same `const T`. Copying one costs two atomic
/// operations. Views may be used and destroyed in any thread; the value is constant, so threads may
/// read it together.
template <class T>
class view {
public:
  using value_type = T;

  /// For the runtime's own use: `value` belongs to the object that `pin` pins.
  view(const T& value, pinned_value pin) noexcept : value_(&value), pin_(std::move(pin)) {
    // nop
  }

  /// The other one shows nothing any more: to read it throws `object_error` (`invalid_reference`),
  /// and `get` gives null.
  view(view&& other) noexcept
    : value_(std::exchange(other.value_, nullptr)), pin_(std::move(other.pin_)) {
    // nop
  }

  view& operator=(view&& other) noexcept {
    std::swap(value_, other.value_);
    std::swap(pin_, other.pin_);
    return *this;
  }

  view(const view& other) noexcept : value_(other.value_), pin_(other.pin_.clone()) {
    // nop
  }

  view& operator=(const view& other) noexcept {
    return *this = view{other};
  }

  [[nodiscard]] const T& operator*() const {
    require_value();
    return *value_;
  }

  [[nodiscard]] const T* operator->() const {
    require_value();
    return value_;
  }

  [[nodiscard]] const T* get() const noexcept {
    return value_;
  }

  /// Size of the encoded value in bytes.
  [[nodiscard]] std::size_t size_bytes() const {
    return raw_bytes().size();
  }

  /// The encoded value.
  [[nodiscard]] std::span<const std::byte> raw_bytes() const {
    require_value();
    return pin_.value().bytes();
  }

private:
  void require_value() const {
    if (value_ == nullptr) [[unlikely]]
      throw_moved_from();
  }

  const T* value_;
  pinned_value pin_;
};

} // namespace mobula

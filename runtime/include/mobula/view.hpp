#pragma once

#include <cstddef>
#include <span>

#include "mobula/actors/object_entry.hpp"

namespace mobula {

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

  view(view&&) noexcept = default;
  view& operator=(view&&) noexcept = default;

  view(const view& other) noexcept : value_(other.value_), pin_(other.pin_.clone()) {
    // nop
  }

  view& operator=(const view& other) noexcept {
    return *this = view{other};
  }

  [[nodiscard]] const T& operator*() const noexcept {
    return *value_;
  }

  [[nodiscard]] const T* operator->() const noexcept {
    return value_;
  }

  [[nodiscard]] const T* get() const noexcept {
    return value_;
  }

  /// Size of the encoded value in bytes.
  [[nodiscard]] std::size_t size_bytes() const noexcept {
    return raw_bytes().size();
  }

  /// The encoded value.
  [[nodiscard]] std::span<const std::byte> raw_bytes() const noexcept {
    return pin_.value().bytes();
  }

private:
  const T* value_;
  pinned_value pin_;
};

} // namespace mobula

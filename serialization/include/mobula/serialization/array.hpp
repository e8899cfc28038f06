#pragma once

#include "mobula/serialization/array_shape.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace mobula {

/// An immutable array of up to eight dimensions over memory that it does not own: the elements lie
/// in row-major order, without gaps. Copying it copies a pointer and a shape, so whoever holds it
/// also keeps the memory, usually through the view of the object it was read from.
///
/// Elements of a stored object are aligned to 64 bytes, those of an inline object to 16.
template <class T>
  requires(std::is_trivially_copyable_v<T> && !std::is_const_v<T> && !std::is_volatile_v<T>)
class array {
public:
  using value_type = T;

  // -- constructors, destructors, and assignment operators ----------------------------------------

  /// Constructs an array of one dimension without elements.
  array() : shape_{0} {
    // nop
  }

  /// Constructs an array of one dimension.
  array(std::span<const T> elements) : data_(elements.data()), shape_{elements.size()} {
    // nop
  }

  /// Throws `object_error` (`invalid_argument`) if the shape has no dimension, or another number of
  /// elements than the span.
  array(std::span<const T> elements, const array_shape& shape)
    : data_(elements.data()), shape_(shape) {
    require_shape(shape, elements.size());
  }

  // -- observers ----------------------------------------------------------------------------------

  [[nodiscard]] const array_shape& shape() const noexcept {
    return shape_;
  }

  /// Returns the number of elements.
  [[nodiscard]] std::size_t size() const noexcept {
    return static_cast<std::size_t>(shape_.elements());
  }

  [[nodiscard]] bool empty() const noexcept {
    return size() == 0;
  }

  [[nodiscard]] std::size_t size_bytes() const noexcept {
    return size() * sizeof(T);
  }

  [[nodiscard]] const T* data() const noexcept {
    return data_;
  }

  [[nodiscard]] const T* begin() const noexcept {
    return data_;
  }

  [[nodiscard]] const T* end() const noexcept {
    return data_ + size();
  }

  [[nodiscard]] std::span<const T> span() const noexcept {
    return {data_, size()};
  }

  // -- elements -----------------------------------------------------------------------------------

  /// Returns an element by its position in memory. REQUIRES: `position < size()`.
  [[nodiscard]] const T& operator[](std::size_t position) const noexcept {
    assert(position < size());
    return data_[position];
  }

  /// Returns an element by one index for each dimension, the outermost first.
  /// REQUIRES: as many indices as dimensions, each smaller than its extent.
  template <std::convertible_to<std::size_t>... Indices>
  [[nodiscard]] const T& operator()(Indices... indices) const noexcept {
    assert(sizeof...(Indices) == shape_.dimensions());
    std::size_t position = 0;
    std::size_t dimension = 0;
    (
      [&](std::size_t index) {
        assert(index < shape_[dimension]);
        position = position * static_cast<std::size_t>(shape_[dimension++]) + index;
      }(static_cast<std::size_t>(indices)),
      ...);
    return data_[position];
  }

  /// Compares shapes and elements, not addresses.
  friend bool operator==(const array& left,
                         const array& right) requires std::equality_comparable<T> {
    return left.shape_ == right.shape_ && std::ranges::equal(left.span(), right.span());
  }

private:
  const T* data_ = nullptr;
  array_shape shape_;
};

/// Raw bytes that mean nothing to Mobula, in memory that it does not own. It differs from an
/// `array<std::byte>` only in having no shape.
class bytes {
public:
  using value_type = std::byte;

  bytes() = default;

  bytes(std::span<const std::byte> content) noexcept : content_(content) {
    // nop
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return content_.size();
  }

  [[nodiscard]] bool empty() const noexcept {
    return content_.empty();
  }

  [[nodiscard]] const std::byte* data() const noexcept {
    return content_.data();
  }

  [[nodiscard]] const std::byte* begin() const noexcept {
    return content_.data();
  }

  [[nodiscard]] const std::byte* end() const noexcept {
    return content_.data() + content_.size();
  }

  [[nodiscard]] std::span<const std::byte> span() const noexcept {
    return content_;
  }

  /// REQUIRES: `position < size()`.
  [[nodiscard]] std::byte operator[](std::size_t position) const noexcept {
    assert(position < size());
    return content_[position];
  }

  friend bool operator==(const bytes& left, const bytes& right) noexcept {
    return std::ranges::equal(left.content_, right.content_);
  }

private:
  std::span<const std::byte> content_;
};

} // namespace mobula

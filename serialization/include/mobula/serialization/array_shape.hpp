#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace mobula {

/// The extents of an `array<T>`, outermost dimension first. The product of the extents, zeros
/// left out, is at most 2^63 - 1: so no stride or offset computed from a shape overflows.
class array_shape {
public:
  static constexpr std::size_t most_dimensions = 8;

  // -- constructors, destructors, and assignment operators
  // -----------------------------------------

  /// A shape without dimensions, which stands for no shape at all.
  array_shape() = default;

  /// Throws `std::invalid_argument` for more than `most_dimensions` or too many elements.
  explicit array_shape(std::span<const std::uint64_t> extents);

  array_shape(std::initializer_list<std::uint64_t> extents);

  // -- observers
  // -----------------------------------------------------------------------------------

  /// Returns whether the extents make a shape.
  [[nodiscard]] static bool valid(std::span<const std::uint64_t> extents) noexcept;

  [[nodiscard]] std::size_t dimensions() const noexcept {
    return dimensions_;
  }

  /// REQUIRES: `dimension < dimensions()`.
  [[nodiscard]] std::uint64_t operator[](std::size_t dimension) const noexcept {
    return extents_[dimension];
  }

  [[nodiscard]] std::span<const std::uint64_t> extents() const noexcept {
    return std::span{extents_}.first(dimensions_);
  }

  /// Returns the product of the extents; zero without dimensions.
  [[nodiscard]] std::uint64_t elements() const noexcept {
    return elements_;
  }

  friend bool operator==(const array_shape&, const array_shape&) = default;

private:
  // Unused extents stay zero, which the comparison relies on.
  std::array<std::uint64_t, most_dimensions> extents_{};
  std::size_t dimensions_ = 0;
  std::uint64_t elements_ = 0;
};

} // namespace mobula

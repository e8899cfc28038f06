#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace mobula {

/// The extents of an `array<T>`, outermost dimension first. The product of the extents, zeros
/// left out, is at most 2^63 - 1: so no stride or offset computed from a shape overflows.
class array_shape {
public:
  static constexpr std::size_t max_dimensions = 8;

  // -- constructors, destructors, and assignment operators ----------------------------------------

  /// A shape without dimensions, which stands for no shape at all.
  array_shape() = default;

  /// Throws `object_error` (`invalid_argument`) for more than `max_dimensions` or too many
  /// elements, naming them.
  explicit array_shape(std::span<const std::uint64_t> extents);

  array_shape(std::initializer_list<std::uint64_t> extents);

  // -- observers ----------------------------------------------------------------------------------

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
  std::array<std::uint64_t, max_dimensions> extents_{};
  std::size_t dimensions_ = 0;
  std::uint64_t elements_ = 0;
};

/// Returns the extents, as in "3 x 4".
[[nodiscard]] std::string to_string(const array_shape& shape);

/// Throws `object_error` (`invalid_argument`) unless `shape` is one of an array of so many
/// elements.
void require_shape(const array_shape& shape, std::uint64_t elements);

} // namespace mobula

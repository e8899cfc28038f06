#pragma once

#include "mobula/serialization/codec_error.hpp"
#include "mobula/serialization/codec_id.hpp"
#include "mobula/serialization/encodable.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace mobula {

template <class T, codec_id C>
struct codec;

static_assert(std::endian::native == std::endian::little,
              "raw data are the bytes in memory and documented as little-endian");

namespace detail {

// -- bools: the only arithmetic type with bytes that are no value ---------------------------------

template <class T>
inline constexpr bool made_of_bools = std::is_same_v<T, bool>;

template <class T, std::size_t Size>
inline constexpr bool made_of_bools<std::array<T, Size>> = made_of_bools<T>;

template <class T>
void check_raw_elements(std::span<const std::byte> source) {
  if (source.size() % sizeof(T) != 0)
    throw codec_error("raw data are not a whole number of elements");
  if constexpr (made_of_bools<T>)
    portable_input_archive::check_bools(source);
}

inline void copy_raw(std::span<std::byte> target, const void* source) {
  // Empty spans may hold null pointers, which memcpy must not see.
  if (!target.empty())
    std::memcpy(target.data(), source, target.size());
}

template <class T>
bool aligned_for(std::span<const std::byte> source) noexcept {
  return std::bit_cast<std::uintptr_t>(source.data()) % alignof(T) == 0;
}

/// Views bytes as elements. REQUIRES: `aligned_for<T>(source)`.
template <class T>
std::span<const T> raw_elements(std::span<const std::byte> source) noexcept {
  return {reinterpret_cast<const T*>(source.data()), source.size() / sizeof(T)};
}

} // namespace detail

/// The bytes of one value. Padding within a structure is copied as it is, and what the members of a
/// structure may hold is not checked: the checksum in the metadata guards them against damage.
template <raw_element T>
struct codec<T, codec_id::raw> {
  static constexpr bool exact_size = true;
  static constexpr bool in_place = !detail::made_of_bools<T>;
  static constexpr bool refers_to_source = false;

  static std::size_t size(const T&) noexcept {
    return sizeof(T);
  }

  static void write(const T& value, std::span<std::byte> target) {
    assert(target.size() == sizeof(T));
    detail::copy_raw(target, std::addressof(value));
  }

  static T read(std::span<const std::byte> source, const array_shape& = {}) {
    if (source.size() != sizeof(T))
      throw codec_error("raw data are not of the size of their type");
    detail::check_raw_elements<T>(source);
    std::array<std::byte, sizeof(T)> copy;
    std::ranges::copy(source, copy.begin());
    return std::bit_cast<T>(copy);
  }
};

/// The elements side by side; their number follows from the size of the data.
template <class T>
  requires(detail::raw_container<T>)
struct codec<T, codec_id::raw> {
  using element = typename T::value_type;

  static constexpr bool exact_size = true;
  static constexpr bool in_place = false;
  static constexpr bool refers_to_source = holds_address<T>;
  static_assert(!refers_to_source || alignof(element) <= alignof(std::max_align_t),
                "elements that are read in place are aligned to 16 bytes; a std::vector of them is "
                "copied, and may have any alignment");

  static std::size_t size(const T& value) noexcept {
    return value.size() * sizeof(element);
  }

  static void write(const T& value, std::span<std::byte> target) {
    assert(target.size() == size(value));
    detail::copy_raw(target, value.data());
  }

  static T read(std::span<const std::byte> source, const array_shape& shape = {}) {
    if constexpr (std::is_same_v<T, bytes>)
      return bytes{source};
    else if constexpr (refers_to_source)
      return read_array(source, shape);
    else
      return read_copy(source);
  }

private:
  static T read_array(std::span<const std::byte> source, const array_shape& shape) {
    detail::check_raw_elements<element>(source);
    if (!detail::aligned_for<element>(source))
      throw codec_error("raw data are not aligned for their elements");
    auto elements = detail::raw_elements<element>(source);
    if (shape.dimensions() == 0)
      return T{elements};
    if (shape.elements() != elements.size())
      throw codec_error("the shape of an array does not match its data");
    return T{elements, shape};
  }

  static T read_copy(std::span<const std::byte> source) {
    detail::check_raw_elements<element>(source);
    if (detail::aligned_for<element>(source)) {
      // One pass over the memory, which resizing first would make two. From pointers, which the
      // standard library copies as a block: iterators of a span it takes one by one.
      auto elements = detail::raw_elements<element>(source);
      return T(elements.data(), elements.data() + elements.size());
    }
    T result;
    result.reserve(source.size() / sizeof(element));
    for (; !source.empty(); source = source.subspan(sizeof(element)))
      result.push_back(codec<element, codec_id::raw>::read(source.first(sizeof(element))));
    return result;
  }
};

} // namespace mobula

#pragma once

// What the bytes of trivially copyable structures look like, as a number that can be compared: two
// programs that call different structures by one name must not read each other's bytes.

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "mobula/serialization/array.hpp"

namespace mobula {

/// A hash over the layout of a structure (docs/formats.md, "Layout of a structure").
enum class layout_fingerprint : std::uint64_t {
  /// Nothing is known, or the type's name says it all.
  none = 0
};

namespace detail {

/// FNV-1a: short, and the same for every compiler.
class layout_hash {
public:
  constexpr void add(std::uint8_t byte) noexcept {
    value_ = (value_ ^ byte) * 0x100000001b3ULL;
  }

  constexpr void add_number(std::uint64_t number) noexcept {
    for (int shift = 0; shift < 64; shift += 8)
      add(static_cast<std::uint8_t>(number >> shift));
  }

  [[nodiscard]] constexpr layout_fingerprint result() const noexcept {
    return layout_fingerprint{value_ == 0 ? 1 : value_};
  }

private:
  std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

/// What a member may be. The numbers are part of the format.
enum class member_kind : std::uint8_t {
  boolean = 1,
  character = 2,
  signed_integer = 3,
  unsigned_integer = 4,
  floating = 5,
  enumeration = 6,
  pointer = 7,
};

template <class T>
constexpr bool is_of_kind(member_kind kind) {
  constexpr bool wide =
    std::is_same_v<
      T,
      wchar_t> || std::is_same_v<T, char8_t> || std::is_same_v<T, char16_t> || std::is_same_v<T, char32_t>;
  constexpr bool letter = std::is_same_v<T, char> || wide;
  switch (kind) {
    case member_kind::boolean:
      return std::is_same_v<T, bool>;
    case member_kind::character:
      return letter;
    case member_kind::signed_integer:
      return std::is_integral_v<T> && std::is_signed_v<T> && !letter;
    case member_kind::unsigned_integer:
      return std::is_integral_v<T> && std::is_unsigned_v<T> && !letter && !std::is_same_v<T, bool>;
    case member_kind::floating:
      return std::is_floating_point_v<T>;
    case member_kind::enumeration:
      return std::is_enum_v<T>;
    case member_kind::pointer:
      return std::is_pointer_v<T> || std::is_member_pointer_v<T>;
  }
  return false;
}

template <class T>
concept scalar_member = std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_pointer_v<
  T> || std::is_member_pointer_v<T>;

/// Stands for any number, enumeration or address: what a nested structure or array cannot be made
/// of, so that an initializer descends into it.
struct any_scalar {
  template <scalar_member T>
  constexpr operator T() const noexcept;
};

/// Stands for the scalars of one kind and size.
template <member_kind Kind, std::size_t Size>
struct exact_scalar {
  template <scalar_member T>
    requires(is_of_kind<T>(Kind) && sizeof(T) == Size)
  constexpr operator T() const noexcept;
};

template <std::size_t>
using any_scalar_at = any_scalar;

template <class T, class Last, std::size_t... Before>
constexpr bool takes_after(std::index_sequence<Before...>) {
  return requires {
    T{any_scalar_at<Before>{}..., Last{}};
  };
}

/// Returns whether the scalar at `Index`, of those that make a `T` up in order, is a `Last`.
template <class T, class Last, std::size_t Index>
constexpr bool takes_at() {
  return takes_after<T, Last>(std::make_index_sequence<Index>{});
}

/// Members beyond these are told by the size of the structure alone; more would take long to
/// compile.
inline constexpr std::size_t max_listed_members = 24;

template <class T, std::size_t Index, member_kind Kind, std::size_t Size>
constexpr bool add_if(layout_hash& hash) {
  if constexpr (takes_at<T, exact_scalar<Kind, Size>, Index>()) {
    hash.add(static_cast<std::uint8_t>(Kind));
    hash.add(static_cast<std::uint8_t>(Size));
    return true;
  } else {
    return false;
  }
}

template <class T, std::size_t Index, member_kind Kind>
constexpr bool add_of_kind(layout_hash& hash) {
  return add_if<T, Index, Kind, 4>(hash) || add_if<T, Index, Kind, 8>(hash)
         || add_if<T, Index, Kind, 1>(hash) || add_if<T, Index, Kind, 2>(hash)
         || add_if<T, Index, Kind, 16>(hash);
}

/// Adds what the scalars from `Index` on are, as far as they can be told.
template <class T, std::size_t Index>
constexpr void add_members(layout_hash& hash) {
  if constexpr (Index < max_listed_members && takes_at<T, any_scalar, Index>()) {
    static_cast<void>(add_of_kind<T, Index, member_kind::floating>(hash)
                      || add_of_kind<T, Index, member_kind::signed_integer>(hash)
                      || add_of_kind<T, Index, member_kind::unsigned_integer>(hash)
                      || add_of_kind<T, Index, member_kind::boolean>(hash)
                      || add_of_kind<T, Index, member_kind::character>(hash)
                      || add_of_kind<T, Index, member_kind::enumeration>(hash)
                      || add_of_kind<T, Index, member_kind::pointer>(hash));
    add_members<T, Index + 1>(hash);
  }
}

template <class T>
consteval layout_fingerprint fingerprint_class() {
  layout_hash hash;
  hash.add_number(sizeof(T));
  hash.add_number(alignof(T));
  if constexpr (std::is_aggregate_v<T> && !std::is_union_v<T>)
    add_members<T, 0>(hash);
  return hash.result();
}

/// Its name does not tell how many bytes it has, nor whether its numbers have a sign.
template <class T>
consteval layout_fingerprint fingerprint_enumeration() {
  layout_hash hash;
  hash.add(static_cast<std::uint8_t>(member_kind::enumeration));
  hash.add(static_cast<std::uint8_t>(std::is_signed_v<std::underlying_type_t<T>>));
  hash.add_number(sizeof(T));
  return hash.result();
}

} // namespace detail

/// The fingerprint of a `T`; none for what its name tells in full.
template <class T>
inline constexpr layout_fingerprint layout_of = [] {
  if constexpr (!std::is_trivially_copyable_v<T>)
    return layout_fingerprint::none;
  else if constexpr (std::is_class_v<T> || std::is_union_v<T>)
    return detail::fingerprint_class<T>();
  else if constexpr (std::is_enum_v<T>)
    return detail::fingerprint_enumeration<T>();
  else
    return layout_fingerprint::none;
}();

template <class T, std::size_t Size>
inline constexpr layout_fingerprint layout_of<std::array<T, Size>> = layout_of<T>;

/// The fingerprint of what the raw codec writes of a `T`: of its elements if it is a container.
template <class T>
inline constexpr layout_fingerprint raw_layout = layout_of<T>;

template <class T, class Allocator>
inline constexpr layout_fingerprint raw_layout<std::vector<T, Allocator>> = layout_of<T>;

template <class T>
inline constexpr layout_fingerprint raw_layout<array<T>> = layout_of<T>;

template <>
inline constexpr layout_fingerprint raw_layout<bytes> = layout_fingerprint::none;

} // namespace mobula

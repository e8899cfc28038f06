#pragma once

#include <array>
#include <bit>
#include <complex>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <caf/sec.hpp>

#include "mobula/actors/caf/packed_fields.hpp"

/// Floating-point numbers in messages between nodes.
///
/// CAF 0.17 writes `float` and `double` in a form of its own: it never ends on an infinity, which
/// stops all connections of the process, and NaN, -0.0 and subnormal numbers arrive as others. An
/// `exact<double>` in place of a `double` travels as its bits. Values of objects are not concerned:
/// they are written by codecs, not by CAF.

namespace mobula {

namespace exact_bits {

// What a value is written as: a row of numbers. Containers write their size first.

using words = std::vector<std::uint64_t>;
using rest = std::span<const std::uint64_t>;

template <class T>
concept plain =
  std::same_as<T, float> || std::same_as<T, double> || std::integral<T> || std::is_enum_v<T>;

/// Whether there is a way to write a type, and all that it consists of: a word at least for each.
template <class T>
inline constexpr bool is_written = plain<T>;
template <class T>
inline constexpr bool is_written<const T> = false;
template <>
inline constexpr bool is_written<std::complex<float>> = true;
template <>
inline constexpr bool is_written<std::complex<double>> = true;
template <class T>
inline constexpr bool is_written<std::optional<T>> = is_written<T>;
template <class T, std::size_t N>
inline constexpr bool is_written<std::array<T, N>> = (N > 0) && is_written<T>;
template <class T>
inline constexpr bool is_written<std::vector<T>> = is_written<T>;
template <>
inline constexpr bool is_written<std::vector<bool>> = false;
template <class... Ts>
inline constexpr bool is_written<std::tuple<Ts...>> = (sizeof...(Ts) > 0)
                                                      && (is_written<Ts> && ...);
template <class T, class U>
inline constexpr bool is_written<std::pair<T, U>> = is_written<std::tuple<T, U>>;

template <plain T>
std::uint64_t to_word(T value) noexcept {
  if constexpr (std::same_as<T, float>)
    return std::bit_cast<std::uint32_t>(value);
  else if constexpr (std::same_as<T, double>)
    return std::bit_cast<std::uint64_t>(value);
  else
    return static_cast<std::uint64_t>(value);
}

template <plain T>
T from_word(std::uint64_t word) noexcept {
  if constexpr (std::same_as<T, float>)
    return std::bit_cast<float>(static_cast<std::uint32_t>(word));
  else if constexpr (std::same_as<T, double>)
    return std::bit_cast<double>(word);
  else
    return static_cast<T>(word);
}

template <plain T>
void write(words& out, const T& value) {
  out.push_back(to_word(value));
}

template <plain T>
[[nodiscard]] bool read(rest& in, T& value) {
  if (in.empty())
    return false;
  value = from_word<T>(in.front());
  in = in.subspan(1);
  return true;
}

template <class T>
void write(words& out, const std::complex<T>& value);
template <class T>
[[nodiscard]] bool read(rest& in, std::complex<T>& value);
template <class T>
void write(words& out, const std::optional<T>& value);
template <class T>
[[nodiscard]] bool read(rest& in, std::optional<T>& value);
template <class T, std::size_t N>
void write(words& out, const std::array<T, N>& values);
template <class T, std::size_t N>
[[nodiscard]] bool read(rest& in, std::array<T, N>& values);
template <class T>
void write(words& out, const std::vector<T>& values);
template <class T>
[[nodiscard]] bool read(rest& in, std::vector<T>& values);
template <class T, class U>
void write(words& out, const std::pair<T, U>& values);
template <class T, class U>
[[nodiscard]] bool read(rest& in, std::pair<T, U>& values);
template <class... Ts>
void write(words& out, const std::tuple<Ts...>& values);
template <class... Ts>
[[nodiscard]] bool read(rest& in, std::tuple<Ts...>& values);

template <class T>
void write(words& out, const std::complex<T>& value) {
  write(out, value.real());
  write(out, value.imag());
}

template <class T>
bool read(rest& in, std::complex<T>& value) {
  T real{};
  T imaginary{};
  if (!read(in, real) || !read(in, imaginary))
    return false;
  value = {real, imaginary};
  return true;
}

template <class T>
void write(words& out, const std::optional<T>& value) {
  out.push_back(value ? 1 : 0);
  if (value)
    write(out, *value);
}

template <class T>
bool read(rest& in, std::optional<T>& value) {
  bool there = false;
  value.reset();
  return read(in, there) && (!there || read(in, value.emplace()));
}

template <class T, std::size_t N>
void write(words& out, const std::array<T, N>& values) {
  for (const auto& value : values)
    write(out, value);
}

template <class T, std::size_t N>
bool read(rest& in, std::array<T, N>& values) {
  for (auto& value : values)
    if (!read(in, value))
      return false;
  return true;
}

template <class T>
void write(words& out, const std::vector<T>& values) {
  out.push_back(values.size());
  for (const auto& value : values)
    write(out, value);
}

/// Each element takes a word at least, so that a size that is not true takes no memory.
template <class T>
bool read(rest& in, std::vector<T>& values) {
  std::uint64_t size = 0;
  values.clear();
  if (!read(in, size) || size > in.size())
    return false;
  values.reserve(static_cast<std::size_t>(size));
  for (std::uint64_t count = 0; count < size; ++count)
    if (!read(in, values.emplace_back()))
      return false;
  return true;
}

template <class T, class U>
void write(words& out, const std::pair<T, U>& values) {
  write(out, values.first);
  write(out, values.second);
}

template <class T, class U>
bool read(rest& in, std::pair<T, U>& values) {
  return read(in, values.first) && read(in, values.second);
}

template <class... Ts>
void write(words& out, const std::tuple<Ts...>& values) {
  std::apply([&](const auto&... each) { (write(out, each), ...); }, values);
}

template <class... Ts>
bool read(rest& in, std::tuple<Ts...>& values) {
  return std::apply([&](auto&... each) { return (read(in, each) && ...); }, values);
}

} // namespace exact_bits

/// What an `exact` may hold: `float`, `double`, and what is made of them, of numbers and of
/// enumerations by `std::complex`, `optional`, `array`, `vector`, `pair` and `tuple`. Not what
/// takes no words, such as an array of none, and not `std::vector<bool>`, whose elements cannot be
/// referred to.
template <class T>
concept exactly_written = exact_bits::is_written<T>;

/// A value whose floating-point numbers cross to other nodes as they are. Use it for fields of
/// messages; it converts from and to the value.
template <exactly_written T>
struct exact {
  T value{};

  exact() = default;

  exact(T content) : value(std::move(content)) { // NOLINT(google-explicit-constructor)
    // nop
  }

  operator const T&() const noexcept { // NOLINT(google-explicit-constructor)
    return value;
  }

  const T& operator*() const noexcept {
    return value;
  }

  const T* operator->() const noexcept {
    return &value;
  }

  friend bool operator==(const exact&, const exact&) = default;

  /// With the value itself: conversions alone would lead both ways.
  template <class Other>
    requires(std::same_as<Other, T> || std::is_arithmetic_v<Other>)
  friend bool operator==(const exact& one, const Other& other) {
    return one.value == other;
  }
};

template <class Inspector, class T>
inspection_result<Inspector> inspect(Inspector& f, exact<T>& x) {
  if constexpr (!byte_inspector<Inspector>) {
    // For people: as the value itself.
    return f(x.value);
  } else if constexpr (exact_bits::plain<T>) {
    auto word = saving_inspector<Inspector> ? exact_bits::to_word(x.value) : std::uint64_t{};
    auto error = f(word);
    if constexpr (loading_inspector<Inspector>)
      if (!error)
        x.value = exact_bits::from_word<T>(word);
    return error;
  } else {
    exact_bits::words words;
    if constexpr (saving_inspector<Inspector>)
      exact_bits::write(words, x.value);
    auto error = f(words);
    if constexpr (loading_inspector<Inspector>) {
      exact_bits::rest rest{words};
      if (!error && (!exact_bits::read(rest, x.value) || !rest.empty()))
        return caf::sec::invalid_argument;
    }
    return error;
  }
}

} // namespace mobula

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <caf/error.hpp>
#include <caf/meta/type_name.hpp>

#include "mobula/actors/caf/caf_version.hpp"

/// What types need whose bytes in messages are laid out by hand, and which so have an `inspect` of
/// their own instead of a `MOBULA_MESSAGE`.

namespace mobula {

/// What an `inspect` returns.
template <class Inspector>
using inspection_result = typename Inspector::result_type;

/// Whether an inspector reads or writes bytes; others want names and values.
template <class Inspector>
concept byte_inspector = requires(Inspector& f, std::byte* bytes) {
  {Inspector::reads_state != Inspector::writes_state};
  f.apply_raw(std::size_t{}, bytes);
};

/// Whether an inspector changes what it inspects, to what it reads.
template <class Inspector>
concept loading_inspector = Inspector::writes_state;

/// Whether an inspector only looks.
template <class Inspector>
concept saving_inspector = Inspector::reads_state && !Inspector::writes_state;

/// Shows `fields` as those of a type called `name`. For inspectors that are for people.
template <class Inspector, class... Fields>
inspection_result<Inspector> show_fields(Inspector& f, const char* name, Fields&... fields) {
  return f(caf::meta::type_name(name), fields...);
}

/// Writes or reads `size` bytes as they are.
template <byte_inspector Inspector>
[[nodiscard]] caf::error apply_bytes(Inspector& f, std::size_t size, void* bytes) {
  return f.apply_raw(size, bytes);
}

/// Writes or reads numbers side by side, big-endian as CAF does, but all at once: CAF takes 20 to
/// 30 ns for each thing that it writes or reads, which is too much for messages that hold ten
/// thousand references of ten numbers each.
template <byte_inspector Inspector, class... Fields>
[[nodiscard]] auto apply_packed(Inspector& f, Fields&... fields) {
  std::array<std::byte, (sizeof(Fields) + ...)> bytes;
  auto* next = bytes.data();
  auto write = [&]<class Field>(const Field& field) {
    auto value = static_cast<std::uint64_t>(field);
    for (auto shift = 8 * sizeof(Field); shift > 0; shift -= 8)
      *next++ = static_cast<std::byte>(value >> (shift - 8));
  };
  auto read = [&]<class Field>(Field& field) {
    std::uint64_t value = 0;
    for (std::size_t count = 0; count < sizeof(Field); ++count)
      value = value << 8U | std::to_integer<std::uint64_t>(*next++);
    field = static_cast<Field>(value);
  };
  if constexpr (saving_inspector<Inspector>)
    (write(fields), ...);
  auto error = apply_bytes(f, bytes.size(), bytes.data());
  if constexpr (loading_inspector<Inspector>)
    if (!error)
      (read(fields), ...);
  return error;
}

} // namespace mobula

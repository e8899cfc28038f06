#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace mobula {

/// Names one life of one node: 128 random bits, drawn anew at every start. CAF's own `node_id` is
/// not unique enough (containers may share it, and its per-process byte wraps).
struct incarnation_id {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend auto operator<=>(const incarnation_id&, const incarnation_id&) = default;

  /// Returns whether this names no node at all.
  [[nodiscard]] bool empty() const noexcept {
    return high == 0 && low == 0;
  }
};

/// Names an object for all time: the incarnation of its owner and a number that this owner never
/// gives twice. The owner can be found from the id alone.
struct object_id {
  incarnation_id owner;
  std::uint64_t sequence = 0;

  friend auto operator<=>(const object_id&, const object_id&) = default;

  /// Returns whether this names no object: sequences start at 1.
  [[nodiscard]] bool empty() const noexcept {
    return sequence == 0;
  }

  /// Size of the fixed form below, in bytes.
  static constexpr std::size_t encoded_size = 24;

  /// Returns `high`, `low`, `sequence` as little-endian 64-bit numbers, in this order.
  [[nodiscard]] std::array<std::byte, encoded_size> encode() const noexcept;

  /// Inverse of `encode`.
  [[nodiscard]] static object_id decode(const std::array<std::byte, encoded_size>& bytes) noexcept;
};

/// Returns 32 hexadecimal digits.
[[nodiscard]] std::string to_string(const incarnation_id& id);

/// Returns `<32 hexadecimal digits>-<decimal sequence>`.
[[nodiscard]] std::string to_string(const object_id& id);

/// Reads the form that `to_string` writes; nothing for any other text.
[[nodiscard]] std::optional<object_id> parse_object_id(std::string_view text);

} // namespace mobula

template <>
struct std::hash<mobula::incarnation_id> {
  std::size_t operator()(const mobula::incarnation_id& id) const noexcept {
    // Both halves are random already.
    return static_cast<std::size_t>(id.high ^ id.low);
  }
};

template <>
struct std::hash<mobula::object_id> {
  std::size_t operator()(const mobula::object_id& id) const noexcept {
    // Sequences are dense: the multiplication (Fibonacci hashing) spreads them over all bits.
    return static_cast<std::size_t>((id.owner.high ^ id.owner.low ^ id.sequence)
                                    * 0x9E3779B97F4A7C15ULL);
  }
};

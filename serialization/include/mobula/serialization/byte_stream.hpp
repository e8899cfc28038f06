#pragma once

#include "mobula/serialization/decoded.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mobula {

/// Writes little-endian numbers and texts into memory whose size the caller has computed before.
/// Running over its end is a fault of the program and asserts; so is an end that is not reached,
/// which callers check with `remaining()`.
class byte_writer {
public:
  explicit byte_writer(std::span<std::byte> target) noexcept : target_(target) {
    // nop
  }

  void u8(std::uint8_t value) noexcept;
  void u16(std::uint16_t value) noexcept;
  void u32(std::uint32_t value) noexcept;
  void u64(std::uint64_t value) noexcept;

  /// Writes the bytes alone, without a length.
  void raw(std::span<const std::byte> bytes) noexcept;
  void raw(std::string_view bytes) noexcept;

  /// Writes a 32-bit length, then the bytes.
  void text(std::string_view bytes) noexcept;

  [[nodiscard]] std::size_t offset() const noexcept {
    return offset_;
  }

  [[nodiscard]] std::size_t remaining() const noexcept {
    return target_.size() - offset_;
  }

private:
  void number(std::uint64_t value, std::size_t width) noexcept;

  std::span<std::byte> target_;
  std::size_t offset_ = 0;
};

/// Reads what `byte_writer` writes from bytes that may be damaged or hostile. The first failure
/// sticks: from then on every read gives zero or nothing, so that a decoder checks `ok()` where it
/// would loop, allocate or return, and not after each field.
class byte_reader {
public:
  explicit byte_reader(std::span<const std::byte> source) noexcept : source_(source) {
    // nop
  }

  // -- reading ------------------------------------------------------------------------------------

  std::uint8_t u8();
  std::uint16_t u16();
  std::uint32_t u32();
  std::uint64_t u64();

  /// Returns the next `size` bytes, or none of them after a failure.
  std::span<const std::byte> raw(std::size_t size);

  /// Reads a 32-bit length of at most `limit_bytes`, then so many bytes.
  std::string text(std::size_t limit_bytes);

  /// Reads a 32-bit count of elements, of which each takes at least `element_bytes` bytes: a count
  /// above `limit` or more than the remaining bytes can hold fails, so that it bounds a `reserve`.
  std::size_t count(std::size_t limit, std::size_t element_bytes);

  // -- state --------------------------------------------------------------------------------------

  [[nodiscard]] bool ok() const noexcept {
    return !error_.has_value();
  }

  [[nodiscard]] std::size_t offset() const noexcept {
    return offset_;
  }

  [[nodiscard]] std::size_t remaining() const noexcept {
    return ok() ? source_.size() - offset_ : 0;
  }

  /// Records a failure at the given byte, unless there was one before.
  void fail(std::string_view message, std::size_t offset);

  /// Fails unless every byte has been read.
  void expect_end();

  /// REQUIRES: `!ok()`.
  [[nodiscard]] const format_error& error() const noexcept {
    return *error_;
  }

private:
  std::uint64_t number(std::size_t width);

  std::span<const std::byte> source_;
  std::size_t offset_ = 0;
  std::optional<format_error> error_;
};

} // namespace mobula

// Writes and reads the little-endian numbers and the texts that all our formats are made of. A
// reader keeps its first failure and never reads beyond the end, so a decoder asks once, when it is
// done.

#include "mobula/serialization/byte_stream.hpp"

#include <cassert>
#include <cstring>
#include <limits>

#include <fmt/format.h>

namespace mobula {

std::string to_string(const format_error& error) {
  return fmt::format("{} at byte {}", error.message, error.offset);
}

// -- byte_writer ----------------------------------------------------------------------------------

void byte_writer::u8(std::uint8_t value) noexcept {
  number(value, 1);
}

void byte_writer::u16(std::uint16_t value) noexcept {
  number(value, 2);
}

void byte_writer::u32(std::uint32_t value) noexcept {
  number(value, 4);
}

void byte_writer::u64(std::uint64_t value) noexcept {
  number(value, 8);
}

void byte_writer::raw(std::span<const std::byte> bytes) noexcept {
  assert(bytes.size() <= remaining());
  // An empty span may hold a null pointer, which memcpy must not see.
  if (!bytes.empty())
    std::memcpy(target_.data() + offset_, bytes.data(), bytes.size());
  offset_ += bytes.size();
}

void byte_writer::raw(std::string_view bytes) noexcept {
  raw(std::as_bytes(std::span{bytes}));
}

void byte_writer::text(std::string_view bytes) noexcept {
  assert(bytes.size() <= std::numeric_limits<std::uint32_t>::max());
  u32(static_cast<std::uint32_t>(bytes.size()));
  raw(bytes);
}

void byte_writer::number(std::uint64_t value, std::size_t width) noexcept {
  assert(width <= remaining());
  for (std::size_t i = 0; i < width; ++i)
    target_[offset_ + i] = static_cast<std::byte>(value >> (8 * i));
  offset_ += width;
}

// -- byte_reader ----------------------------------------------------------------------------------

std::uint8_t byte_reader::u8() {
  return static_cast<std::uint8_t>(number(1));
}

std::uint16_t byte_reader::u16() {
  return static_cast<std::uint16_t>(number(2));
}

std::uint32_t byte_reader::u32() {
  return static_cast<std::uint32_t>(number(4));
}

std::uint64_t byte_reader::u64() {
  return number(8);
}

std::span<const std::byte> byte_reader::raw(std::size_t size) {
  if (size > remaining()) {
    fail("the bytes end too early", offset_);
    return {};
  }
  auto result = source_.subspan(offset_, size);
  offset_ += size;
  return result;
}

std::string byte_reader::text(std::size_t limit_bytes) {
  auto start = offset_;
  auto size = u32();
  if (size > limit_bytes)
    fail("a text is longer than allowed", start);
  auto bytes = raw(ok() ? size : 0);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::size_t byte_reader::count(std::size_t limit, std::size_t element_bytes) {
  auto start = offset_;
  std::size_t result = u32();
  if (result > limit)
    fail("a count is larger than allowed", start);
  else if (result > remaining() / element_bytes)
    fail("a count is larger than the bytes that follow can hold", start);
  return ok() ? result : 0;
}

void byte_reader::fail(std::string_view message, std::size_t offset) {
  if (!error_)
    error_ = format_error{.message = std::string{message}, .offset = offset};
}

void byte_reader::expect_end() {
  if (remaining() > 0)
    fail("bytes are left over", offset_);
}

std::uint64_t byte_reader::number(std::size_t width) {
  std::uint64_t result = 0;
  auto bytes = raw(width);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    result |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  return result;
}

} // namespace mobula

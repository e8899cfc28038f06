// Writes ids as bytes and as text, and reads them back. Both forms are the same on every machine.

#include "mobula/serialization/ids.hpp"

#include <charconv>

#include <fmt/format.h>

namespace mobula {

namespace {

void store_little_endian(std::byte* target, std::uint64_t value) {
  for (int i = 0; i < 8; ++i)
    target[i] = static_cast<std::byte>(value >> (8 * i));
}

std::uint64_t load_little_endian(const std::byte* source) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i)
    value |= std::to_integer<std::uint64_t>(source[i]) << (8 * i);
  return value;
}

constexpr std::size_t incarnation_digits = 32;

bool parse_whole(std::string_view text, std::uint64_t& value, int base) {
  const auto* end = text.data() + text.size();
  auto [position, error] = std::from_chars(text.data(), end, value, base);
  return error == std::errc{} && position == end;
}

} // namespace

std::array<std::byte, object_id::encoded_size> object_id::encode() const noexcept {
  std::array<std::byte, encoded_size> bytes{};
  store_little_endian(bytes.data(), owner.high);
  store_little_endian(bytes.data() + 8, owner.low);
  store_little_endian(bytes.data() + 16, sequence);
  return bytes;
}

object_id object_id::decode(const std::array<std::byte, encoded_size>& bytes) noexcept {
  return {.owner = {.high = load_little_endian(bytes.data()),
                    .low = load_little_endian(bytes.data() + 8)},
          .sequence = load_little_endian(bytes.data() + 16)};
}

std::string to_string(const incarnation_id& id) {
  return fmt::format("{:016x}{:016x}", id.high, id.low);
}

std::string to_string(const object_id& id) {
  return fmt::format("{}-{}", to_string(id.owner), id.sequence);
}

std::optional<object_id> parse_object_id(std::string_view text) {
  object_id id;
  if (text.size() < incarnation_digits + 2 || text[incarnation_digits] != '-'
      || !parse_whole(text.substr(0, 16), id.owner.high, 16)
      || !parse_whole(text.substr(16, 16), id.owner.low, 16)
      || !parse_whole(text.substr(incarnation_digits + 1), id.sequence, 10))
    return std::nullopt;
  return id;
}

} // namespace mobula

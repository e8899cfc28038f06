#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mobula::test {

/// Reads hexadecimal digits, blanks between them left out.
inline std::vector<std::byte> from_hex(std::string_view text) {
  std::string digits;
  for (auto character : text)
    if (character != ' ')
      digits.push_back(character);
  std::vector<std::byte> result;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    result.push_back(static_cast<std::byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  return result;
}

inline std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  for (auto byte : bytes) {
    result.push_back(digits[std::to_integer<std::size_t>(byte >> 4)]);
    result.push_back(digits[std::to_integer<std::size_t>(byte & std::byte{15})]);
  }
  return result;
}

inline std::vector<std::byte> from_text(std::string_view text) {
  auto bytes = std::as_bytes(std::span{text});
  return {bytes.begin(), bytes.end()};
}

inline std::string to_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Returns up to `most` bytes, the same for each state of the engine.
inline std::vector<std::byte> random_bytes(std::mt19937_64& engine, std::size_t most) {
  std::vector<std::byte> result(engine() % (most + 1));
  for (auto& byte : result)
    byte = static_cast<std::byte>(engine());
  return result;
}

} // namespace mobula::test

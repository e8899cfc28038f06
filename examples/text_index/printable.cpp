// Makes text of unknown origin fit for a terminal, cut to so many columns, and numbers fit for
// people.

#include "printable.hpp"

#include <array>

#include <fmt/format.h>

namespace text_index {

namespace {

constexpr std::string_view blanks = " \t\r\n\v\f";

bool continues(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80;
}

/// Returns the number of bytes that the first byte of a character of UTF-8 announces; 0 if no
/// character starts so.
std::size_t announced_bytes(char first) noexcept {
  auto byte = static_cast<unsigned char>(first);
  if (byte < 0x80)
    return 1;
  if (byte >= 0xC2 && byte < 0xE0)
    return 2;
  if (byte >= 0xE0 && byte < 0xF0)
    return 3;
  return byte >= 0xF0 && byte < 0xF5 ? 4 : 0;
}

/// Returns the length of the character that `text` starts with, or 0 if there is none.
std::size_t character_bytes(std::string_view text) noexcept {
  auto size = announced_bytes(text.front());
  if (size > text.size())
    return 0;
  for (std::size_t i = 1; i < size; ++i)
    if (!continues(text[i]))
      return 0;
  return size;
}

bool is_control(char c) noexcept {
  auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

/// The controls beyond ASCII: terminals obey them too.
bool is_high_control(std::string_view character) noexcept {
  return character.size() == 2 && character[0] == '\xC2'
         && static_cast<unsigned char>(character[1]) < 0xA0;
}

std::string_view trimmed(std::string_view text) noexcept {
  auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

} // namespace

std::string printable(std::string_view text, std::size_t max_columns) {
  auto rest = trimmed(text);
  std::string result;
  for (std::size_t column = 0; column < max_columns && !rest.empty(); ++column) {
    auto size = character_bytes(rest);
    auto character = rest.substr(0, size);
    if (size == 0)
      result += '?';
    else if (is_control(character.front()) || is_high_control(character))
      result += ' ';
    else
      result += character;
    rest.remove_prefix(size == 0 ? 1 : size);
  }
  return result;
}

std::string grouped(std::uint64_t number) {
  auto result = fmt::to_string(number);
  for (auto position = result.size(); position > 3;) {
    position -= 3;
    result.insert(position, 1, ',');
  }
  return result;
}

std::string counted(std::uint64_t number, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", grouped(number), number == 1 ? one : many);
}

std::string size_text(double bytes) {
  constexpr std::array units{"bytes", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 1000 && unit + 1 < units.size()) {
    bytes /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} bytes", bytes)
                   : fmt::format("{:.1f} {}", bytes, units[unit]);
}

} // namespace text_index

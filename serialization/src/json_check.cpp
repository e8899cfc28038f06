// Walks over JSON before a parser sees it, and refuses what that could not take: nesting that would
// exhaust the stack, and strings with a NUL, which would be cut there.

#include "mobula/serialization/json_codec.hpp"

#include <string_view>

namespace mobula::detail {

namespace {

constexpr std::size_t max_levels = 512;

/// Returns the position of the quote that ends the string which begins before `position`.
std::size_t end_of_string(std::string_view text, std::size_t position) {
  while (position < text.size() && text[position] != '"') {
    if (text[position] == '\\') {
      if (text.substr(position).starts_with("\\u0000"))
        throw codec_error("a string in JSON holds a NUL character");
      ++position;
    }
    ++position;
  }
  return position;
}

} // namespace

void check_json(std::span<const std::byte> bytes) {
  std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  std::size_t level = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '"':
        i = end_of_string(text, i + 1);
        break;
      case '[':
      case '{':
        if (++level > max_levels)
          throw codec_error("a value in JSON is nested too deeply");
        break;
      case ']':
      case '}':
        // The parser complains about one too many.
        level -= level > 0 ? 1 : 0;
        break;
      default:
        break;
    }
  }
}

} // namespace mobula::detail

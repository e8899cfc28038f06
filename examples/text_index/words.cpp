// Splits text into words and lowers them. Words are runs of letters, digits, underscores and all
// bytes above ASCII, so that those of other alphabets stay whole.

#include "words.hpp"

#include <algorithm>

namespace text_index {

namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// For each byte, whether it belongs to words.
constexpr auto word_bytes = [] {
  std::array<bool, 256> result{};
  for (int c = 0; c < 256; ++c)
    result[static_cast<std::size_t>(c)] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                                          || (c >= '0' && c <= '9') || c == '_' || c >= 0x80;
  return result;
}();

bool is_word_byte(char c) noexcept {
  return word_bytes[static_cast<unsigned char>(c)];
}

bool is_word(std::string_view run) noexcept {
  return run.size() >= min_word_bytes && run.size() <= max_word_bytes && !is_digit(run.front());
}

char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

} // namespace

std::optional<std::string_view> word_splitter::next() noexcept {
  while (true) {
    const auto* first = std::find_if(rest_.begin(), rest_.end(), is_word_byte);
    const auto* last = std::find_if_not(first, rest_.end(), is_word_byte);
    if (first == last)
      return std::nullopt;
    std::string_view run{first, last};
    rest_ = {last, rest_.end()};
    if (is_word(run))
      return lowered(run);
  }
}

std::string_view word_splitter::lowered(std::string_view run) noexcept {
  std::transform(run.begin(), run.end(), word_.begin(), to_lower);
  return {word_.data(), run.size()};
}

} // namespace text_index

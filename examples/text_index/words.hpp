#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace text_index {

/// Words are this long; shorter ones say little, longer ones are data, such as encoded pictures.
constexpr std::size_t min_word_bytes = 2;
constexpr std::size_t max_word_bytes = 64;

/// Splits text into words: maximal runs of ASCII letters, digits, underscores and bytes beyond
/// ASCII, which do not begin with a digit and whose length is within the limits. ASCII letters are
/// lowered. Takes any bytes: words of UTF-8 stay whole, and invalid UTF-8 is kept as it is.
class word_splitter {
public:
  explicit word_splitter(std::string_view text) noexcept : text_(text), rest_(text) {
    // nop
  }

  /// Returns the next word, which is valid until the next call, or nothing at the text's end.
  std::optional<std::string_view> next() noexcept;

  /// Returns where the last word ended in the text.
  [[nodiscard]] std::size_t position() const noexcept {
    return text_.size() - rest_.size();
  }

private:
  std::string_view lowered(std::string_view run) noexcept;

  std::string_view text_;
  std::string_view rest_;
  std::array<char, max_word_bytes> word_{};
};

} // namespace text_index

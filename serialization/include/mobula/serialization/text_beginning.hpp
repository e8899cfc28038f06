#pragma once

#include <cstddef>
#include <string_view>

namespace mobula {

/// Returns the beginning of a text, at most so many bytes, without splitting an UTF-8 sequence,
/// which has at most three bytes after its first. A text that is no UTF-8 loses up to three bytes
/// more.
[[nodiscard]] constexpr std::string_view beginning_of(std::string_view text,
                                                      std::size_t max_bytes) noexcept {
  if (text.size() <= max_bytes)
    return text;
  auto size = max_bytes;
  auto splits = [&] {
    return (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U;
  };
  while (size > 0 && size + 3 > max_bytes && splits())
    --size;
  return text.substr(0, size);
}

} // namespace mobula

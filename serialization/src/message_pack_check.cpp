// Walks over MessagePack without building anything, so that a hostile length allocates nothing and
// deep nesting does not recurse. What passes can be handed to msgpack.

#include "mobula/serialization/message_pack_codec.hpp"

namespace mobula::detail {

namespace {

constexpr std::size_t deepest_level = 512;

/// What follows the first byte of a value.
struct layout {
  std::uint64_t payload_bytes = 0;
  std::uint64_t children = 0;
};

/// Walks over values without building them.
class scanner {
public:
  explicit scanner(std::span<const std::byte> source) : source_(source) {
    // nop
  }

  void run() {
    open_[0] = 1;
    std::size_t levels = 1;
    while (levels > 0) {
      if (open_[levels - 1] == 0) {
        --levels;
        continue;
      }
      --open_[levels - 1];
      auto children = skip_value();
      if (children == 0)
        continue;
      if (levels == deepest_level)
        throw codec_error("a value in MessagePack is nested too deeply");
      open_[levels++] = children;
    }
    if (offset_ != source_.size())
      throw codec_error("bytes are left over after a value in MessagePack");
  }

private:
  /// Skips one value except for its elements and returns how many these are.
  std::uint64_t skip_value() {
    auto [payload_bytes, children] = read_layout(static_cast<unsigned>(number(1)));
    require(payload_bytes);
    offset_ += payload_bytes;
    // Each element takes at least one byte.
    require(children);
    return children;
  }

  layout read_layout(unsigned first) {
    if (first < 0x80 || first >= 0xe0)
      return {};
    if (first < 0x90)
      return {.children = std::uint64_t{2} * (first & 0x0fU)};
    if (first < 0xa0)
      return {.children = first & 0x0fU};
    if (first < 0xc0)
      return {.payload_bytes = first & 0x1fU};
    return read_marked_layout(first);
  }

  /// The types whose first byte is a marker alone, in the order of MessagePack's specification.
  layout read_marked_layout(unsigned marker) {
    auto width = [marker](unsigned first) {
      return std::size_t{1} << (marker - first);
    };
    if (marker == 0xc1)
      throw codec_error("a byte in MessagePack has no meaning");
    if (marker <= 0xc3) // nil, false, true
      return {};
    if (marker <= 0xc6) // bin
      return {.payload_bytes = number(width(0xc4))};
    if (marker <= 0xc9) // ext: a length, then a type
      return {.payload_bytes = number(width(0xc7)) + 1};
    if (marker <= 0xcb) // float
      return {.payload_bytes = 4 * width(0xca)};
    if (marker <= 0xcf) // uint
      return {.payload_bytes = width(0xcc)};
    if (marker <= 0xd3) // int
      return {.payload_bytes = width(0xd0)};
    if (marker <= 0xd8) // fixext: a type, then the bytes
      return {.payload_bytes = 1 + width(0xd4)};
    if (marker <= 0xdb) // str
      return {.payload_bytes = number(width(0xd9))};
    if (marker <= 0xdd) // array
      return {.children = number(2 * width(0xdc))};
    return {.children = 2 * number(2 * width(0xde))}; // map
  }

  /// Reads a big-endian number.
  std::uint64_t number(std::size_t width) {
    require(width);
    std::uint64_t result = 0;
    for (std::size_t i = 0; i < width; ++i)
      result = result << 8 | std::to_integer<std::uint64_t>(source_[offset_++]);
    return result;
  }

  void require(std::uint64_t count) const {
    if (count > source_.size() - offset_)
      throw codec_error("a value in MessagePack ends too early");
  }

  std::span<const std::byte> source_;
  std::size_t offset_ = 0;
  /// For each level, how many values are still to come.
  std::array<std::uint64_t, deepest_level> open_{};
};

} // namespace

void check_message_pack(std::span<const std::byte> bytes) {
  scanner{bytes}.run();
}

} // namespace mobula::detail

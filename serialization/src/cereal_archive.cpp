// Reads cereal's portable binary form from bytes that nobody vouches for: sizes, counts, bools and
// shared pointers are checked here before cereal believes them.

#include "mobula/serialization/cereal_archive.hpp"

#include <algorithm>
#include <cstring>

namespace mobula {

portable_input_archive::portable_input_archive(std::span<const std::byte> source)
  : InputArchive(this), source_(source), elements_left_(source.size() + spare_elements) {
  std::uint8_t little_endian = 0;
  read(&little_endian, 1, 1);
  if (little_endian > 1)
    throw codec_error("the bytes are no portable binary archive");
  swap_bytes_ = little_endian == 0;
}

void portable_input_archive::read(void* target, std::size_t size_bytes, std::size_t width) {
  if (size_bytes > remaining())
    throw codec_error("an encoded value ends too early");
  if (size_bytes == 0)
    return;
  std::memcpy(target, source_.data() + offset_, size_bytes);
  offset_ += size_bytes;
  if (!swap_bytes_ || width == 1)
    return;
  std::span numbers{static_cast<std::byte*>(target), size_bytes};
  for (; numbers.size() >= width; numbers = numbers.subspan(width))
    std::ranges::reverse(numbers.first(width));
}

void portable_input_archive::check_count(std::uint64_t count) {
  // Of the whole value together: containers in containers whose elements have no bytes could claim
  // all that is left again and again.
  if (count > remaining() + spare_elements || count > elements_left_)
    throw codec_error("an encoded value has more elements than bytes");
  elements_left_ -= static_cast<std::size_t>(count);
}

void portable_input_archive::check_bools(std::span<const std::byte> bytes) {
  if (std::ranges::any_of(bytes, [](std::byte byte) { return byte > std::byte{1}; }))
    throw codec_error("a byte of a bool is neither 0 nor 1");
}

std::shared_ptr<void> portable_input_archive::getSharedPointer(std::uint32_t id) {
  // Zero stands for a null pointer and is never registered.
  if (id != 0) {
    auto found = shared_types_.find(id);
    if (found == shared_types_.end() || found->second != expected_shared_)
      throw codec_error("a shared pointer refers to no earlier one of its type");
  }
  return InputArchive::getSharedPointer(id);
}

} // namespace mobula

// Grows the buffer that codecs append to. Its memory doubles by `realloc`, so that each appended
// byte costs the same however many there are, and a large buffer may grow in place.

#include "mobula/serialization/byte_buffer.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <new>

namespace mobula {

namespace {

constexpr std::size_t smallest_capacity = 256;
constexpr auto largest_capacity =
  static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max());

} // namespace

byte_buffer::~byte_buffer() {
  std::free(data_);
}

void byte_buffer::reset() noexcept {
  std::free(std::exchange(data_, nullptr));
  size_ = 0;
  capacity_ = 0;
}

void byte_buffer::reserve(std::size_t capacity) {
  if (capacity > capacity_)
    reallocate(capacity);
}

void byte_buffer::grow(std::size_t count) {
  if (count > largest_capacity - size_)
    throw std::bad_alloc();
  // Doubling keeps the cost of each appended byte constant.
  reallocate(
    std::max({size_ + count, std::min(2 * capacity_, largest_capacity), smallest_capacity}));
}

void byte_buffer::reallocate(std::size_t capacity) {
  auto* data = static_cast<std::byte*>(std::realloc(data_, capacity));
  if (data == nullptr)
    throw std::bad_alloc();
  data_ = data;
  capacity_ = capacity;
}

} // namespace mobula

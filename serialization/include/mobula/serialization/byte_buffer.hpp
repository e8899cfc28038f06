#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

namespace mobula {

/// A growable buffer of bytes. Unlike a `std::vector`, it leaves the bytes it grows by as they are,
/// since whoever grows it is about to write them; and it grows large buffers by remapping pages
/// instead of copying them where the system's `realloc` can.
class byte_buffer {
public:
  // -- constructors, destructors, and assignment operators ----------------------------------------

  byte_buffer() noexcept = default;

  byte_buffer(byte_buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {
    // nop
  }

  byte_buffer& operator=(byte_buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }

  byte_buffer(const byte_buffer&) = delete;

  byte_buffer& operator=(const byte_buffer&) = delete;

  ~byte_buffer();

  // -- observers ----------------------------------------------------------------------------------

  [[nodiscard]] std::byte* data() noexcept {
    return data_;
  }

  [[nodiscard]] const std::byte* data() const noexcept {
    return data_;
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return size_;
  }

  [[nodiscard]] bool empty() const noexcept {
    return size_ == 0;
  }

  [[nodiscard]] std::size_t capacity() const noexcept {
    return capacity_;
  }

  [[nodiscard]] std::span<const std::byte> span() const noexcept {
    return {data_, size_};
  }

  // -- modifiers ----------------------------------------------------------------------------------

  /// Grows by `count` bytes and returns them, unwritten. Throws `std::bad_alloc`, as all that grow.
  std::span<std::byte> extend(std::size_t count) {
    if (count > capacity_ - size_)
      grow(count);
    auto* start = data_ + size_;
    size_ += count;
    return {start, count};
  }

  /// Appends a copy of `count` bytes, which must not lie in this buffer.
  void append(const void* source, std::size_t count) {
    if (count > 0)
      std::memcpy(extend(count).data(), source, count);
  }

  void append(std::span<const std::byte> bytes) {
    append(bytes.data(), bytes.size());
  }

  void push_back(std::byte value) {
    extend(1).front() = value;
  }

  /// Cuts to the given size. REQUIRES: `size <= this->size()`.
  void truncate(std::size_t size) noexcept {
    size_ = size;
  }

  /// Forgets the bytes but keeps the memory for the next use.
  void clear() noexcept {
    size_ = 0;
  }

  /// Gives the memory back as well.
  void reset() noexcept;

  /// Makes space for `capacity` bytes in total.
  void reserve(std::size_t capacity);

private:
  void grow(std::size_t count);

  void reallocate(std::size_t capacity);

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

} // namespace mobula

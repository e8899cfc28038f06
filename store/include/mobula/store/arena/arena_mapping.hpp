#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

#include "mobula/store/arena/arena_layout.hpp"

namespace mobula {

/// An open arena file and its mapping; ends both.
class arena_mapping {
public:
  arena_mapping(int descriptor, std::byte* base, std::size_t size) noexcept
    : descriptor_(descriptor), base_(base), size_(size) {
  }

  arena_mapping(arena_mapping&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), base_(std::exchange(other.base_, nullptr)),
      size_(std::exchange(other.size_, 0)) {
  }

  arena_mapping& operator=(arena_mapping&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(base_, other.base_);
    std::swap(size_, other.size_);
    return *this;
  }

  ~arena_mapping() {
    if (base_ != nullptr)
      ::munmap(base_, size_);
    if (descriptor_ >= 0)
      ::close(descriptor_);
  }

  [[nodiscard]] int descriptor() const noexcept {
    return descriptor_;
  }

  [[nodiscard]] std::byte* at(std::uint64_t offset) const noexcept {
    return base_ + offset;
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return size_;
  }

private:
  int descriptor_;
  std::byte* base_;
  std::size_t size_;
};

} // namespace mobula

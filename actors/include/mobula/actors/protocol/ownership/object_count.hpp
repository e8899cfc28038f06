#pragma once

#include <cstdint>

namespace mobula {

/// Number and size of objects of one kind.
struct object_count {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;

  friend bool operator==(const object_count&, const object_count&) = default;

  object_count& operator+=(const object_count& other) noexcept {
    objects += other.objects;
    bytes += other.bytes;
    return *this;
  }
};

} // namespace mobula

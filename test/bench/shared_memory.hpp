#pragma once

#include <cstddef>
#include <new>

#include <sys/mman.h>

namespace mobula::bench {

/// Memory of the kind that an arena is made of: shared, in ordinary pages, none of them touched
/// yet.
class shared_memory {
public:
  explicit shared_memory(std::size_t bytes)
    : bytes_(bytes),
      data_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (data_ == MAP_FAILED)
      throw std::bad_alloc{};
  }

  shared_memory(const shared_memory&) = delete;
  shared_memory& operator=(const shared_memory&) = delete;

  ~shared_memory() {
    ::munmap(data_, bytes_);
  }

  [[nodiscard]] char* data() const noexcept {
    return static_cast<char*>(data_);
  }

private:
  std::size_t bytes_;
  void* data_;
};

} // namespace mobula::bench

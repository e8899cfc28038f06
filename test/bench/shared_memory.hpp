#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/statvfs.h>

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

/// Says why arenas of nodes cannot hold so many bytes, if so.
inline std::optional<std::string> lack_of_shared_memory(std::uint64_t bytes) {
  constexpr auto directory = "/dev/shm";
  struct statvfs space {};
  std::uint64_t free_bytes = 0;
  if (::statvfs(directory, &space) == 0)
    free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
  if (free_bytes >= bytes)
    return std::nullopt;
  return fmt::format("it needs {} MiB in {}, where {} are free", bytes >> 20U, directory,
                     free_bytes >> 20U);
}

} // namespace mobula::bench

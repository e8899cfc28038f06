// Sizes of arenas, from what the file system offers and what memory is granted. A tmpfs promises
// up to its own size whatever a cgroup grants, so that both have to be asked.

#include "mobula/store/arena/arena_capacity.hpp"

#include <algorithm>
#include <cerrno>

#include <sys/statvfs.h>

#include "mobula/store/system/memory_grant.hpp"

namespace mobula {

std::variant<std::uint64_t, io_failure> available_bytes(const std::filesystem::path& directory,
                                                        const std::filesystem::path& root) {
  struct statvfs figures {};
  if (::statvfs(directory.c_str(), &figures) != 0)
    return io_failure{directory.string(), io_operation::measure, errno};
  auto in_directory = std::uint64_t{figures.f_bavail} * figures.f_frsize;
  return std::min(in_directory, read_cgroup_memory(root).free_bytes.value_or(in_directory));
}

std::variant<std::uint64_t, io_failure> default_arena_bytes(const std::filesystem::path& directory,
                                                            const std::filesystem::path& root) {
  auto result = available_bytes(directory, root);
  if (auto* bytes = std::get_if<std::uint64_t>(&result)) {
    // Divided first: a limit may be close to 2^60.
    auto share = granted_memory_bytes(root) / 10 * 3;
    *bytes = std::min({*bytes, share, free_memory_bytes(root) / 2});
  }
  return result;
}

} // namespace mobula

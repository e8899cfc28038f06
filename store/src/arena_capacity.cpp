#include "mobula/store/arena_capacity.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string>
#include <string_view>

#include <sys/statvfs.h>
#include <unistd.h>

#include <fmt/format.h>

namespace mobula {

namespace {

// What version 1 shows for "unlimited" depends on the page size; no machine has this much.
constexpr std::uint64_t no_limit = 1ULL << 60;

struct cgroup_files {
  std::string_view limit;
  std::string_view usage;
  std::string_view droppable; ///< a line of `memory.stat`
};

constexpr cgroup_files version_1{"memory.limit_in_bytes", "memory.usage_in_bytes",
                                 "total_inactive_file"};
constexpr cgroup_files version_2{"memory.max", "memory.current", "inactive_file"};

/// Returns nothing for a missing file, and for the word "max".
std::optional<std::uint64_t> read_number(const std::filesystem::path& file) {
  std::ifstream stream{file};
  std::uint64_t result = 0;
  return stream >> result ? std::optional{result} : std::nullopt;
}

std::uint64_t read_line_of(const std::filesystem::path& file, std::string_view name) {
  std::ifstream stream{file};
  std::string word;
  std::uint64_t value = 0;
  while (stream >> word >> value)
    if (word == name)
      return value;
  return 0;
}

std::optional<std::uint64_t> free_in_group(const std::filesystem::path& group,
                                           const cgroup_files& files) {
  auto limit = read_number(group / files.limit);
  auto usage = read_number(group / files.usage);
  if (!limit || !usage || *limit >= no_limit)
    return std::nullopt;
  auto droppable = read_line_of(group / "memory.stat", files.droppable);
  auto kept = *usage - std::min(*usage, droppable);
  return *limit - std::min(*limit, kept);
}

/// Looks at a group and all above it. In a container the path may name groups that are not
/// mounted; then only those above are seen, of which the topmost is the container's own.
std::optional<std::uint64_t> free_in_groups(const std::filesystem::path& mount,
                                            const std::filesystem::path& group,
                                            const cgroup_files& files) {
  auto result = free_in_group(mount, files);
  auto path = mount;
  for (const auto& part : group.relative_path()) {
    path /= part;
    if (auto bytes = free_in_group(path, files))
      result = std::min(*bytes, result.value_or(*bytes));
  }
  return result;
}

bool lists_memory(std::string_view controllers) {
  return fmt::format(",{},", controllers).find(",memory,") != std::string::npos;
}

} // namespace

std::optional<std::uint64_t> cgroup_free_bytes(const std::filesystem::path& root) {
  std::ifstream groups{root / "proc/self/cgroup"};
  auto mount = root / "sys/fs/cgroup";
  std::optional<std::uint64_t> result;
  // Each line is `<number>:<controllers>:<path>`; version 2 has no controllers.
  for (std::string line; std::getline(groups, line);) {
    auto first = line.find(':');
    auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos)
      continue;
    auto controllers = std::string_view{line}.substr(first + 1, second - first - 1);
    auto path = line.substr(second + 1);
    std::optional<std::uint64_t> bytes;
    if (controllers.empty())
      bytes = free_in_groups(mount, path, version_2);
    else if (lists_memory(controllers))
      bytes = free_in_groups(mount / "memory", path, version_1);
    if (bytes)
      result = std::min(*bytes, result.value_or(*bytes));
  }
  return result;
}

std::variant<std::uint64_t, io_failure> available_bytes(const std::filesystem::path& directory) {
  struct statvfs figures {};
  if (::statvfs(directory.c_str(), &figures) != 0)
    return io_failure{directory.string(), io_operation::measure, errno};
  auto in_directory = std::uint64_t{figures.f_bavail} * figures.f_frsize;
  return std::min(in_directory, cgroup_free_bytes().value_or(in_directory));
}

std::variant<std::uint64_t, io_failure>
default_arena_bytes(const std::filesystem::path& directory) {
  auto result = available_bytes(directory);
  auto pages = ::sysconf(_SC_PHYS_PAGES);
  auto page_bytes = ::sysconf(_SC_PAGESIZE);
  if (auto* available = std::get_if<std::uint64_t>(&result); available && pages > 0)
    *available = std::min(*available, static_cast<std::uint64_t>(pages)
                                        * static_cast<std::uint64_t>(page_bytes) / 10 * 3);
  return result;
}

} // namespace mobula

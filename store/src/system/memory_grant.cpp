// Finds the memory cgroups of this process and the limits on every level above it.
//
// `/proc/self/cgroup` names the group within each hierarchy, `/proc/self/mountinfo` says where a
// hierarchy is mounted and which of its groups the mount shows as its top. In a container the two
// need not agree: then the groups between are skipped, and what can be seen decides.

#include "mobula/store/system/memory_grant.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>

namespace mobula {

namespace {

// What version 1 shows for "unlimited" depends on the page size; no machine has this much.
constexpr std::uint64_t no_limit = 1ULL << 60;

struct cgroup_files {
  std::vector<std::string_view> limits;
  std::string_view usage;
  std::vector<std::string_view> droppable; ///< lines of `memory.stat`
  std::string_view inherited;              ///< a line that says what levels above allow
};

const cgroup_files version_1{{"memory.limit_in_bytes"},
                             "memory.usage_in_bytes",
                             {"total_inactive_file", "total_active_file"},
                             "hierarchical_memory_limit"};
const cgroup_files version_2{
  {"memory.max", "memory.high"}, "memory.current", {"inactive_file", "active_file"}, {}};

std::optional<std::uint64_t> lesser(std::optional<std::uint64_t> one,
                                    std::optional<std::uint64_t> other) {
  if (!one || !other)
    return one ? one : other;
  return std::min(*one, *other);
}

/// Returns nothing for a file that cannot be read, and for the word "max".
std::optional<std::uint64_t> read_number(const std::filesystem::path& file) {
  std::ifstream stream{file};
  std::uint64_t result = 0;
  return stream >> result ? std::optional{result} : std::nullopt;
}

/// Returns the number behind a word, as `memory.stat` and `meminfo` have one on each line.
std::optional<std::uint64_t> read_line_of(const std::filesystem::path& file,
                                          std::string_view name) {
  std::ifstream stream{file};
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words{line};
    std::string word;
    std::uint64_t value = 0;
    if (words >> word >> value && word == name)
      return value;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> limit_of(const std::filesystem::path& group,
                                      const cgroup_files& files) {
  std::optional<std::uint64_t> result;
  for (auto file : files.limits)
    if (auto limit = read_number(group / file); limit && *limit < no_limit)
      result = lesser(result, limit);
  return result;
}

void add(cgroup_memory& sum, const cgroup_memory& level) {
  sum.granted_bytes = lesser(sum.granted_bytes, level.granted_bytes);
  sum.free_bytes = lesser(sum.free_bytes, level.free_bytes);
}

/// Returns what one level says.
cgroup_memory memory_of_group(const std::filesystem::path& group, const cgroup_files& files) {
  cgroup_memory result;
  auto stat = group / "memory.stat";
  if (auto limit = limit_of(group, files)) {
    auto used = read_number(group / files.usage).value_or(0);
    for (auto line : files.droppable)
      used -= std::min(used, read_line_of(stat, line).value_or(0));
    result = {.granted_bytes = limit, .free_bytes = *limit - std::min(*limit, used)};
  }
  // What is in use above cannot be seen from here.
  if (auto limit = read_line_of(stat, files.inherited); limit && *limit < no_limit)
    add(result, {.granted_bytes = limit, .free_bytes = limit});
  return result;
}

/// Looks at a mounted top and at every group on the way down from it.
cgroup_memory memory_of_levels(const std::filesystem::path& top, const std::string& group,
                               const cgroup_files& files) {
  auto result = memory_of_group(top, files);
  auto level = top;
  for (const auto& part : std::filesystem::path{group}.relative_path()) {
    if (part == "..") // The group is beside the mounted part.
      break;
    level /= part;
    add(result, memory_of_group(level, files));
  }
  return result;
}

/// A place where groups can be looked at.
struct cgroup_mount {
  std::filesystem::path directory;
  std::string top; ///< the group that is its root directory
};

/// The places of both versions.
struct cgroup_mounts {
  std::vector<cgroup_mount> version_1;
  std::vector<cgroup_mount> version_2;
};

/// Undoes the kernel's escapes, such as `\040` for a space.
std::string unescape(const std::string& text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    auto digits = std::string_view{text}.substr(at + 1, 3);
    unsigned code = 0;
    auto end = std::from_chars(digits.data(), digits.data() + digits.size(), code, 8).ptr;
    if (text[at] != '\\' || digits.size() != 3 || end != digits.data() + 3) {
      result += text[at];
      continue;
    }
    result += static_cast<char>(code);
    at += 3;
  }
  return result;
}

bool lists_memory(std::string_view controllers) {
  return fmt::format(",{},", controllers).find(",memory,") != std::string::npos;
}

/// Reads proc(5)'s `mountinfo`: `id parent device top directory options fields... - type source
/// options`.
cgroup_mounts find_mounts(const std::filesystem::path& root) {
  cgroup_mounts result;
  std::ifstream stream{root / "proc/self/mountinfo"};
  for (std::string line; std::getline(stream, line);) {
    auto middle = line.find(" - ");
    // Hosts of many containers have thousands of other mounts.
    if (middle == std::string::npos || line.find("cgroup", middle) == std::string::npos)
      continue;
    std::string skipped;
    std::string top;
    std::string directory;
    std::string type;
    std::string options;
    std::istringstream before{line};
    std::istringstream behind{line.substr(middle + 3)};
    if (!(before >> skipped >> skipped >> skipped >> top >> directory)
        || !(behind >> type >> skipped >> options))
      continue;
    cgroup_mount mount{root / std::filesystem::path{unescape(directory)}.relative_path(),
                       unescape(top)};
    if (type == "cgroup2")
      result.version_2.push_back(std::move(mount));
    else if (type == "cgroup" && lists_memory(options))
      result.version_1.push_back(std::move(mount));
  }
  // The usual places, where the table is hidden from this process.
  if (result.version_1.empty() && result.version_2.empty())
    return {.version_1 = {{root / "sys/fs/cgroup/memory", "/"}},
            .version_2 = {{root / "sys/fs/cgroup", "/"}, {root / "sys/fs/cgroup/unified", "/"}}};
  return result;
}

/// Returns the group as seen from the mount.
std::string below_top(const std::string& group, const std::string& top) {
  if (top != "/" && group.starts_with(top)
      && (group.size() == top.size() || group[top.size()] == '/'))
    return group.substr(top.size());
  return group;
}

void add_mounts(cgroup_memory& sum, const std::vector<cgroup_mount>& mounts,
                const std::string& group, const cgroup_files& files) {
  for (const auto& mount : mounts)
    add(sum, memory_of_levels(mount.directory, below_top(group, mount.top), files));
}

/// Returns a line of `meminfo`, in bytes.
std::optional<std::uint64_t> machine_bytes(const std::filesystem::path& root,
                                           std::string_view name) {
  auto kibibytes = read_line_of(root / "proc/meminfo", name);
  return kibibytes ? std::optional{*kibibytes * 1024} : std::nullopt;
}

/// What the C library knows, where `/proc` cannot be read.
std::uint64_t physical_bytes() {
  auto pages = std::max(::sysconf(_SC_PHYS_PAGES), 0L);
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace

cgroup_memory read_cgroup_memory(const std::filesystem::path& root) {
  cgroup_memory result;
  const auto mounts = find_mounts(root);
  std::ifstream groups{root / "proc/self/cgroup"};
  // Each line is `<number>:<controllers>:<path>`; version 2 has no controllers.
  for (std::string line; std::getline(groups, line);) {
    auto first = line.find(':');
    auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos)
      continue;
    auto controllers = std::string_view{line}.substr(first + 1, second - first - 1);
    auto group = line.substr(second + 1);
    if (controllers.empty())
      add_mounts(result, mounts.version_2, group, version_2);
    else if (lists_memory(controllers))
      add_mounts(result, mounts.version_1, group, version_1);
  }
  return result;
}

std::uint64_t granted_memory_bytes(const std::filesystem::path& root) {
  auto machine = machine_bytes(root, "MemTotal:").value_or(physical_bytes());
  return std::min(machine, read_cgroup_memory(root).granted_bytes.value_or(machine));
}

std::uint64_t free_memory_bytes(const std::filesystem::path& root) {
  auto machine = machine_bytes(root, "MemAvailable:").value_or(granted_memory_bytes(root));
  return std::min(machine, read_cgroup_memory(root).free_bytes.value_or(machine));
}

} // namespace mobula

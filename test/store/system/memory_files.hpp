#pragma once

#include <filesystem>
#include <fstream>
#include <string_view>

#include "../../temporary_directory.hpp"

namespace mobula::test {

/// A root directory with files of our own in place of the kernel's.
struct memory_files : temporary_directory {
  void write(const std::filesystem::path& file, std::string_view text) const {
    std::filesystem::create_directories((path() / file).parent_path());
    std::ofstream{path() / file} << text;
  }

  /// A memory cgroup of version 2.
  void write_group(const std::filesystem::path& group, std::string_view limit,
                   std::string_view usage) const {
    write(group / "memory.max", limit);
    write(group / "memory.current", usage);
  }

  /// One of version 1.
  void write_old_group(const std::filesystem::path& group, std::string_view limit,
                       std::string_view usage) const {
    write(group / "memory.limit_in_bytes", limit);
    write(group / "memory.usage_in_bytes", usage);
  }
};

} // namespace mobula::test

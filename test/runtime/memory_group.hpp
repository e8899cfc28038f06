#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

#include <doctest/doctest.h>

#include <unistd.h>

namespace mobula::test {

/// A memory cgroup and one within it, where the machine lets us make some; gone after the test. For
/// that, processes in it must have ended.
class memory_group {
public:
  enum class version { one, two };

  explicit memory_group(version of) : outer_(mount_of(of) / ("mobula-test-" + unique())) {
    std::error_code error;
    if (of == version::two)
      hand_memory_down(mount_of(of));
    usable_ = std::filesystem::create_directory(outer_, error);
    if (usable_ && of == version::two)
      hand_memory_down(outer_);
    usable_ = usable_ && std::filesystem::create_directory(inner(), error)
              && std::filesystem::exists(outer_ / limit_of(of));
    if (!usable_)
      MESSAGE("skipped: no memory cgroup of version ", of == version::one ? 1 : 2,
              " can be made here");
  }

  ~memory_group() {
    std::error_code ignored;
    std::filesystem::remove(inner(), ignored);
    std::filesystem::remove(outer_, ignored);
  }

  memory_group(const memory_group&) = delete;
  memory_group& operator=(const memory_group&) = delete;

  /// Returns whether the machine has such groups and lets this process make them.
  [[nodiscard]] bool usable() const {
    return usable_;
  }

  [[nodiscard]] const std::filesystem::path& outer() const {
    return outer_;
  }

  [[nodiscard]] std::filesystem::path inner() const {
    return outer_ / "inner";
  }

  /// The file with the limit above which the kernel kills.
  [[nodiscard]] static std::string limit_of(version of) {
    return of == version::one ? "memory.limit_in_bytes" : "memory.max";
  }

  static void write(const std::filesystem::path& file, std::string_view text) {
    std::ofstream stream{file};
    stream << text << std::flush;
    REQUIRE_MESSAGE(stream, "cannot write ", file.string());
  }

private:
  static std::filesystem::path mount_of(version of) {
    const std::filesystem::path top{"/sys/fs/cgroup"};
    if (of == version::one)
      return top / "memory";
    return std::filesystem::exists(top / "unified") ? top / "unified" : top;
  }

  static std::string unique() {
    static int count = 0;
    return std::to_string(::getpid()) + "-" + std::to_string(++count);
  }

  /// Lets groups below have limits of their own; without it they have no such files.
  static void hand_memory_down(const std::filesystem::path& group) {
    std::ofstream{group / "cgroup.subtree_control"} << "+memory";
  }

  std::filesystem::path outer_;
  bool usable_ = false;
};

} // namespace mobula::test

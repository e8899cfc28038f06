#pragma once

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sys/mount.h>
#include <unistd.h>

#include "temporary_directory.hpp"

namespace mobula::test {

/// A tmpfs of its own, gone after the test.
class small_disk : public temporary_directory {
public:
  explicit small_disk(const char* size = "size=4m") {
    mounted_ = ::mount("tmpfs", path().c_str(), "tmpfs", 0, size) == 0;
    if (!mounted_)
      MESSAGE("skipped: no tmpfs can be mounted here: ", std::strerror(errno));
  }

  ~small_disk() {
    if (mounted_)
      ::umount2(path().c_str(), MNT_DETACH);
  }

  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  [[nodiscard]] bool mounted() const {
    return mounted_;
  }

  /// The directory that a node spills to. Not the root of the disk: that cannot be removed.
  [[nodiscard]] std::filesystem::path spills() const {
    return path() / "spills";
  }

  [[nodiscard]] std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> result;
    if (std::filesystem::exists(spills()))
      for (const auto& file : std::filesystem::directory_iterator{spills()})
        if (file.path().extension() == ".spill")
          result.push_back(file.path());
    return result;
  }

  [[nodiscard]] std::uint64_t file_bytes() const {
    std::uint64_t sum = 0;
    for (const auto& file : files())
      sum += std::filesystem::file_size(file);
    return sum;
  }

  /// Takes up all the space that is left, until the ballast is dropped.
  void fill() const {
    std::ofstream ballast{path() / "ballast", std::ios::binary};
    const std::string bytes(4'096, 'b');
    while (ballast.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush()) {
      // nop
    }
  }

  void drop_ballast() const {
    std::filesystem::remove(path() / "ballast");
  }

  /// Puts a read-only mount of the spill directory over it. To make the disk itself read-only is
  /// refused while a file on it is open for writing, as the node's lock file is.
  void make_read_only() const {
    auto where = spills();
    REQUIRE(::mount(where.c_str(), where.c_str(), nullptr, MS_BIND, nullptr) == 0);
    REQUIRE(::mount(nullptr, where.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr)
            == 0);
  }

  void make_writable() const {
    REQUIRE(::umount2(spills().c_str(), MNT_DETACH) == 0);
  }

private:
  bool mounted_ = false;
};

} // namespace mobula::test

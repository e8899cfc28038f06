#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

namespace mobula::test {

/// A directory of its own for one test, removed at its end.
class temporary_directory {
public:
  explicit temporary_directory(
    const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    auto name = (parent / "mobula-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }

  ~temporary_directory() {
    std::error_code ignored; // A test may have removed it already.
    std::filesystem::remove_all(path_, ignored);
  }

  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const {
    return path_;
  }

private:
  std::filesystem::path path_;
};

} // namespace mobula::test

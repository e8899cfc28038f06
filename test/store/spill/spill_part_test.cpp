// Parts of records in real spill files.

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <vector>

#include <doctest/doctest.h>

#include "../../temporary_directory.hpp"
#include "mobula/store/spill/spill_part.hpp"
#include "spill_samples.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr std::size_t data_bytes = 3'000'000;

/// A spill file of two large records, of which the second is read.
struct large_record {
  temporary_directory directory;
  std::filesystem::path file = directory.path() / "a.spill";
  std::vector<sample_object> objects = make_objects(2, data_bytes);
  moving_record second{objects[1].id, objects[0].record_bytes(), objects[1].record_bytes()};
  std::vector<std::byte> target = std::vector<std::byte>(1'000);

  large_record() {
    REQUIRE_FALSE(write_records(file, 0, views_of(objects), sync_policy::none).failure);
  }

  [[nodiscard]] bool read(std::uint64_t offset, record_check check) {
    return read_part(file, second, offset, target, check);
  }

  [[nodiscard]] bool has_part(std::uint64_t offset) const {
    return std::ranges::equal(target, std::span{objects[1].data}.subspan(offset, target.size()));
  }

  /// Changes one bit so many bytes before the end of the file.
  void damage(std::uint64_t before_end) const {
    std::fstream bytes{file, std::ios::in | std::ios::out | std::ios::binary};
    auto offset = static_cast<std::streamoff>(std::filesystem::file_size(file) - before_end);
    bytes.seekg(offset);
    auto byte = static_cast<char>(bytes.get() ^ 1);
    bytes.seekp(offset);
    bytes.put(byte);
  }
};

} // namespace

TEST_CASE_FIXTURE(large_record, "a part of a record is read from where it lies") {
  for (std::uint64_t offset : {0ULL, 1ULL, 1'500'000ULL, data_bytes - 1'000ULL})
    for (auto check : {record_check::whole, record_check::header}) {
      CHECK(read(offset, check));
      CHECK(has_part(offset));
    }
}

TEST_CASE_FIXTURE(large_record, "all of a record can be read at once") {
  target.resize(data_bytes);
  CHECK(read(0, record_check::header));
  CHECK(has_part(0));
  damage(5);
  CHECK_FALSE(read(0, record_check::header));
}

TEST_CASE_FIXTURE(large_record, "damage elsewhere in the record is found by a look at the whole") {
  damage(5);
  CHECK_FALSE(read(0, record_check::whole));
  CHECK(read(0, record_check::header));
}

TEST_CASE_FIXTURE(large_record, "a record that is not where it should be is not read") {
  second.offset_bytes += 1;
  CHECK_FALSE(read(0, record_check::header));
  second.offset_bytes = 0;
  CHECK_FALSE(read(0, record_check::header));
}

TEST_CASE_FIXTURE(large_record, "what lies behind the end of a record is not read") {
  CHECK_FALSE(read(data_bytes - 999, record_check::header));
  CHECK_FALSE(read(~0ULL, record_check::header));
}

TEST_CASE_FIXTURE(large_record, "a part of a record behind a symbolic link is not read") {
  auto link = directory.path() / "link.spill";
  std::filesystem::create_symlink(file, link);
  CHECK_FALSE(read_part(link, second, 0, target, record_check::header));
}

TEST_CASE_FIXTURE(large_record, "a file that is gone, or cut off, is not read") {
  std::filesystem::resize_file(file, second.offset_bytes + 500);
  CHECK_FALSE(read(0, record_check::header));
  std::filesystem::remove(file);
  CHECK_FALSE(read(0, record_check::header));
}

// Copies of records from one real spill file to another.

#include <array>
#include <cerrno>
#include <fstream>

#include <doctest/doctest.h>

#include "../../temporary_directory.hpp"
#include "mobula/store/spill/spill_copy.hpp"
#include "spill_samples.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

/// A spill file of four records, and the name of one to copy to.
struct copied_file {
  temporary_directory directory;
  std::filesystem::path from = directory.path() / "from.spill";
  std::filesystem::path to = directory.path() / "to.spill";
  std::vector<sample_object> objects;

  explicit copied_file(std::size_t data_bytes = 1'000) : objects(make_objects(4, data_bytes)) {
    REQUIRE_FALSE(write_records(from, 0, views_of(objects), sync_policy::none).failure);
  }

  [[nodiscard]] std::uint64_t offset_of(std::size_t index) const {
    return index * objects[index].record_bytes();
  }

  [[nodiscard]] std::vector<moving_record> records(std::initializer_list<std::size_t> which) const {
    std::vector<moving_record> result;
    for (auto index : which)
      result.push_back({objects[index].id, offset_of(index), objects[index].record_bytes()});
    return result;
  }

  void flip_bit(std::uint64_t offset) const {
    std::fstream file{from, std::ios::in | std::ios::out | std::ios::binary};
    file.seekg(static_cast<std::streamoff>(offset));
    auto byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(byte);
  }
};

using enum record_move;

} // namespace

TEST_CASE_FIXTURE(copied_file, "copied records follow each other without gaps") {
  auto result = copy_records(from, records({1, 3}), to, 0, sync_policy::data);
  CHECK(result.records == std::vector{moved, moved});
  CHECK_FALSE(result.failure);
  CHECK(is_intact(to, 0, objects[1]));
  CHECK(is_intact(to, objects[1].record_bytes(), objects[3]));
  CHECK(std::filesystem::file_size(to) == 2 * objects[0].record_bytes());
}

TEST_CASE("a record larger than the buffer is copied whole") {
  copied_file files{3'000'000};
  CHECK(copy_records(files.from, files.records({2}), files.to, 0, sync_policy::none).records
        == std::vector{moved});
  CHECK(is_intact(files.to, 0, files.objects[2]));
}

TEST_CASE_FIXTURE(copied_file, "a bit flipped anywhere keeps its record back, and no other") {
  for (std::uint64_t at : {0, 9, 20, 41, 50, 60, 70, 79, 85, 100, 1'099}) {
    CAPTURE(at);
    flip_bit(offset_of(1) + at);
    auto result = copy_records(from, records({0, 1, 2}), to, 0, sync_policy::none);
    CHECK(result.records == std::vector{moved, unreadable, moved});
    CHECK(is_intact(to, objects[0].record_bytes(), objects[2]));
    flip_bit(offset_of(1) + at);
    std::filesystem::remove(to);
  }
}

TEST_CASE_FIXTURE(copied_file, "records behind the end of a truncated file are unreadable") {
  std::filesystem::resize_file(from, offset_of(3) - 1);
  auto result = copy_records(from, records({1, 2, 3}), to, 0, sync_policy::none);
  CHECK(result.records == std::vector{moved, unreadable, unreadable});
}

TEST_CASE_FIXTURE(copied_file, "a file that is missing makes its records unreadable") {
  std::filesystem::remove(from);
  auto result = copy_records(from, records({0, 1}), to, 0, sync_policy::none);
  CHECK(result.records == std::vector{unreadable, unreadable});
  CHECK_FALSE(result.failure);
}

TEST_CASE_FIXTURE(copied_file, "a target that vanished fails the copy instead of coming back") {
  auto result = copy_records(from, records({0}), to, 100, sync_policy::none);
  CHECK(result.records.empty());
  REQUIRE(result.failure);
  CHECK(result.failure->error_number == ENOENT);
  CHECK_FALSE(std::filesystem::exists(to));
}

TEST_CASE_FIXTURE(copied_file, "records are copied neither from nor to a symbolic link") {
  auto link = directory.path() / "link.spill";
  std::filesystem::create_symlink(from, link);
  CHECK(copy_records(link, records({0}), to, 0, sync_policy::none).records
        == std::vector{unreadable});
  auto result = copy_records(from, records({0}), link, offset_of(3), sync_policy::none);
  REQUIRE(result.failure);
  CHECK(result.failure->error_number == ELOOP);
  CHECK(std::filesystem::file_size(from) == 4 * objects[0].record_bytes());
}

TEST_CASE_FIXTURE(copied_file, "a disk that fills keeps the copies that fit") {
  static int writes_left;
  writes_left = 2;
  auto calls = system_io_calls();
  calls.pwritev = [](int file, const iovec* parts, int count, off_t offset) -> ssize_t {
    if (writes_left-- > 0)
      return system_io_calls().pwritev(file, parts, count, offset);
    errno = ENOSPC;
    return -1;
  };
  auto result = copy_records(from, records({0, 1, 2, 3}), to, 0, sync_policy::none, calls);
  CHECK(result.records == std::vector{moved, moved});
  REQUIRE(result.failure);
  CHECK(is_disk_full(*result.failure));
}

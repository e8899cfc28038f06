// Records in spill files: written and read back, against damage, truncation and the documented
// bytes.

#include "mobula/store/spill/spill_file.hpp"

#include <array>
#include <cerrno>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "../../temporary_directory.hpp"
#include "spill_samples.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

void flip_bit(const std::filesystem::path& file, std::uint64_t offset) {
  std::fstream stream{file, std::ios::in | std::ios::out | std::ios::binary};
  stream.seekg(static_cast<std::streamoff>(offset));
  auto byte = static_cast<char>(stream.get() ^ 0x10);
  stream.seekp(static_cast<std::streamoff>(offset));
  stream.put(byte);
}

/// Three records of 100 bytes of data in one file.
struct file_fixture {
  temporary_directory directory;
  std::filesystem::path file = directory.path() / "sample.spill";
  std::vector<sample_object> objects = make_objects(3, 100);

  file_fixture() {
    auto result = write_records(file, 0, views_of(objects), sync_policy::none);
    REQUIRE(result.records_written == 3);
    REQUIRE_FALSE(result.failure);
  }

  std::uint64_t offset_of(std::size_t index) const {
    return index * objects.front().record_bytes();
  }

  bool intact(std::size_t index) const {
    return is_intact(file, offset_of(index), objects[index]);
  }
};

} // namespace

TEST_CASE_FIXTURE(file_fixture, "records come back as they were written") {
  CHECK(intact(0));
  CHECK(intact(1));
  CHECK(intact(2));
}

TEST_CASE_FIXTURE(file_fixture, "records are appended behind others") {
  sample_object fourth{4, 0, 5'000};
  auto result = write_records(file, offset_of(3), std::array{fourth.view()}, sync_policy::data);
  CHECK(result.records_written == 1);
  CHECK(is_intact(file, offset_of(3), fourth));
  CHECK(intact(2));
}

TEST_CASE("objects without metadata and without data have records too") {
  temporary_directory directory;
  auto file = directory.path() / "sample.spill";
  std::vector<sample_object> objects{{1, 0, 0}, {2, 7, 0}, {3, 0, 9}};
  REQUIRE(write_records(file, 0, views_of(objects), sync_policy::none).records_written == 3);
  std::uint64_t offset = 0;
  for (const auto& object : objects) {
    CHECK(is_intact(file, offset, object));
    offset += object.record_bytes();
  }
}

TEST_CASE("a batch of more parts than one call takes is written whole") {
  temporary_directory directory;
  auto file = directory.path() / "sample.spill";
  auto objects = make_objects(2'000, 30);
  CHECK(write_records(file, 0, views_of(objects), sync_policy::none).records_written == 2'000);
  for (std::size_t i = 0; i < objects.size(); ++i)
    REQUIRE(is_intact(file, i * objects.front().record_bytes(), objects[i]));
}

TEST_CASE("the header is laid out as documented") {
  temporary_directory directory;
  auto file = directory.path() / "sample.spill";
  sample_object object{0x0102, 3, 5};
  REQUIRE(write_records(file, 0, std::array{object.view()}, sync_policy::none).records_written
          == 1);
  CHECK(std::filesystem::file_size(file) == 88);
  std::array<char, 88> bytes{};
  std::ifstream{file, std::ios::binary}.read(bytes.data(), bytes.size());
  CHECK(std::string{bytes.data(), 8} == "MOBSPILL");
  CHECK(bytes[8] == 1);
  CHECK(bytes[12] == 80);
  CHECK(bytes[16] == 1);
  CHECK(bytes[24] == 2);
  CHECK(bytes[32] == 2);
  CHECK(bytes[33] == 1);
  CHECK(bytes[40] == 3);
  CHECK(bytes[48] == 5);
  CHECK(static_cast<std::byte>(bytes[80]) == object.metadata[0]);
  CHECK(static_cast<std::byte>(bytes[83]) == object.data[0]);
}

TEST_CASE("only the user can read a spill file") {
  temporary_directory directory;
  auto file = directory.path() / "sample.spill";
  sample_object object{1, 3, 5};
  REQUIRE(write_records(file, 0, std::array{object.view()}, sync_policy::none).records_written
          == 1);
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

// -- damage -----------------------------------------------------------------------

TEST_CASE_FIXTURE(file_fixture,
                  "a flipped bit anywhere in a record is damage, its neighbours live") {
  for (auto byte = offset_of(1); byte < offset_of(2); ++byte) {
    CAPTURE(byte);
    flip_bit(file, byte);
    REQUIRE(read_object(file, offset_of(1), objects[1]).result.status == read_status::damaged);
    flip_bit(file, byte);
  }
  CHECK(intact(0));
  CHECK(intact(1));
  CHECK(intact(2));
}

TEST_CASE_FIXTURE(file_fixture, "a truncated file loses the records behind the cut only") {
  for (auto size :
       {offset_of(3) - 1, offset_of(2) + 100, offset_of(2) + 90, offset_of(2) + 1, offset_of(2)}) {
    CAPTURE(size);
    std::filesystem::resize_file(file, size);
    CHECK(read_object(file, offset_of(2), objects[2]).result.status == read_status::damaged);
    CHECK(intact(1));
  }
}

TEST_CASE_FIXTURE(file_fixture, "records that are read together fail each for itself") {
  flip_bit(file, offset_of(1) + 90);
  auto back = read_together(file, objects);
  CHECK(back[0].status == read_status::intact);
  CHECK(back[1].status == read_status::damaged);
  CHECK(back[2].status == read_status::intact);
  std::filesystem::resize_file(file, offset_of(2) + 1);
  back = read_together(file, objects);
  CHECK(back[0].status == read_status::intact);
  CHECK(back[2].status == read_status::damaged);
  std::filesystem::remove(file);
  for (const auto& each : read_together(file, objects))
    CHECK(each.status == read_status::missing);
}

TEST_CASE_FIXTURE(file_fixture, "a whole record of another object is damage") {
  CHECK(read_object(file, offset_of(1), objects[0]).result.status == read_status::damaged);
}

TEST_CASE_FIXTURE(file_fixture, "a record of other sizes is damage") {
  sample_object other{2, 21, 99};
  CHECK(read_object(file, offset_of(1), other).result.status == read_status::damaged);
}

TEST_CASE_FIXTURE(file_fixture, "a file that vanished is missing, and appends to it fail") {
  REQUIRE(std::filesystem::remove(file));
  auto result = read_object(file, 0, objects[0]).result;
  CHECK(result.status == read_status::missing);
  CHECK(result.failure->error_number == ENOENT);
  auto appended =
    write_records(file, offset_of(3), std::array{objects[0].view()}, sync_policy::none);
  CHECK(appended.records_written == 0);
  CHECK(appended.failure->operation == io_operation::open);
  CHECK_FALSE(std::filesystem::exists(file));
}

TEST_CASE_FIXTURE(file_fixture, "a file behind a symbolic link is neither read nor written") {
  auto link = directory.path() / "link.spill";
  std::filesystem::create_symlink(file, link);
  auto read = read_object(link, 0, objects[0]).result;
  CHECK(read.status == read_status::failed);
  CHECK(read.failure->error_number == ELOOP);
  auto appended =
    write_records(link, offset_of(3), std::array{objects[0].view()}, sync_policy::none);
  CHECK(appended.failure->error_number == ELOOP);
  CHECK(std::filesystem::file_size(file) == offset_of(3));
}

TEST_CASE_FIXTURE(file_fixture, "a new file does not overwrite an old one") {
  auto result = write_records(file, 0, std::array{objects[2].view()}, sync_policy::none);
  CHECK(result.failure->error_number == EEXIST);
  CHECK(intact(0));
}

TEST_CASE_FIXTURE(file_fixture, "removing a file that is not there is no error") {
  CHECK_FALSE(remove_file(file));
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK_FALSE(remove_file(file));
}

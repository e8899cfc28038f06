// Spill files on disks that fail, really or by injection.

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include <doctest/doctest.h>
#include <sys/mount.h>
#include <unistd.h>

#include "../../temporary_directory.hpp"
#include "spill_samples.hpp"

using namespace mobula;
using namespace mobula::test;

// -- real failures ------------------------------------------------------------------

TEST_CASE("a missing directory is told with path, operation, error and remedy") {
  sample_object object{1, 3, 5};
  auto result =
    write_records("/nonexistent/mobula.spill", 0, std::array{object.view()}, sync_policy::none);
  REQUIRE(result.failure);
  CHECK(explain(*result.failure)
        == "cannot open /nonexistent/mobula.spill: No such file or directory; create the directory "
           "again, and keep cleaners away from it while nodes run");
}

TEST_CASE("a directory removed while running fails writes, and works when it is back") {
  temporary_directory directory;
  sample_object object{1, 3, 5};
  auto file = directory.path() / "sample.spill";
  std::filesystem::remove_all(directory.path());
  CHECK(write_records(file, 0, std::array{object.view()}, sync_policy::none).failure);
  std::filesystem::create_directory(directory.path());
  CHECK_FALSE(write_records(file, 0, std::array{object.view()}, sync_policy::none).failure);
}

namespace {

/// A tmpfs of its own, where the tests may mount one.
class mounted_directory {
public:
  explicit mounted_directory(const char* options, unsigned long flags = 0)
    : mounted_(::mount("tmpfs", directory_.path().c_str(), "tmpfs", flags, options) == 0) {
    if (!mounted_)
      MESSAGE("skipped: no tmpfs can be mounted here: ", std::strerror(errno));
  }

  ~mounted_directory() {
    if (mounted_)
      ::umount2(directory_.path().c_str(), MNT_DETACH);
  }

  bool mounted() const {
    return mounted_;
  }

  const std::filesystem::path& path() const {
    return directory_.path();
  }

private:
  temporary_directory directory_;
  bool mounted_;
};

} // namespace

TEST_CASE("a full disk keeps the records that fit, and takes more when space is freed") {
  mounted_directory disk{"size=1m"};
  if (!disk.mounted())
    return;
  auto objects = make_objects(8, 200'000);
  auto file = disk.path() / "first.spill";
  auto result = write_records(file, 0, views_of(objects), sync_policy::none);
  CHECK(result.records_written == 5);
  REQUIRE(result.failure);
  CHECK(is_disk_full(*result.failure));
  CHECK(explain(*result.failure).find("No space left on device; free space") != std::string::npos);
  for (std::size_t i = 0; i < result.records_written; ++i)
    CHECK(is_intact(file, i * objects[0].record_bytes(), objects[i]));
  CHECK_FALSE(remove_file(file));
  auto rest = std::span{objects}.subspan(result.records_written);
  std::vector<sample_object> left{rest.begin(), rest.end()};
  CHECK(write_records(disk.path() / "second.spill", 0, views_of(left), sync_policy::data)
          .records_written
        == 3);
}

TEST_CASE("a read-only directory fails writes with what to do about it") {
  mounted_directory disk{"size=1m", MS_RDONLY};
  if (!disk.mounted())
    return;
  sample_object object{1, 3, 5};
  auto result =
    write_records(disk.path() / "a.spill", 0, std::array{object.view()}, sync_policy::none);
  REQUIRE(result.failure);
  CHECK(result.failure->error_number == EROFS);
  CHECK(explain(*result.failure).find("mount that file system for writing") != std::string::npos);
}

// -- injected failures ----------------------------------------------------------------

namespace {

/// What the calls below do. Global because calls in a table have no state; each test sets it anew.
struct fault_plan {
  std::size_t bytes_before_error = 0;
  int error_number = EIO;
  std::size_t max_at_once = SIZE_MAX;
  std::size_t interruptions = 0;
};

fault_plan plan;

template <class Call>
ssize_t transfer_some(Call call, int file, const iovec* parts, off_t offset) {
  if (plan.interruptions > 0) {
    --plan.interruptions;
    errno = EINTR;
    return -1;
  }
  if (plan.bytes_before_error == 0) {
    errno = plan.error_number;
    return -1;
  }
  auto part = parts[0];
  part.iov_len = std::min({part.iov_len, plan.max_at_once, plan.bytes_before_error});
  auto moved = call(file, &part, 1, offset);
  plan.bytes_before_error -= static_cast<std::size_t>(moved);
  return moved;
}

ssize_t failing_write(int file, const iovec* parts, int, off_t offset) {
  return transfer_some(::pwritev, file, parts, offset);
}

ssize_t failing_read(int file, const iovec* parts, int, off_t offset) {
  return transfer_some(::preadv, file, parts, offset);
}

/// Where a disk has a bad sector. Global as the plan is.
off_t bad_byte = 0;

ssize_t read_around_bad_byte(int file, const iovec* parts, int count, off_t offset) {
  auto end = offset;
  for (int i = 0; i < count; ++i)
    end += static_cast<off_t>(parts[i].iov_len);
  if (offset > bad_byte || bad_byte >= end)
    return ::preadv(file, parts, count, offset);
  errno = EIO;
  return -1;
}

int failing_sync(int) {
  errno = EIO;
  return -1;
}

int interrupted_sync(int file) {
  if (plan.interruptions == 0)
    return ::fdatasync(file);
  --plan.interruptions;
  errno = EINTR;
  return -1;
}

int failing_close(int file) {
  ::close(file);
  errno = EIO;
  return -1;
}

int failing_unlink(const char*) {
  errno = EACCES;
  return -1;
}

io_calls faulty_transfers(const fault_plan& next) {
  plan = next;
  auto calls = system_io_calls();
  calls.pwritev = failing_write;
  calls.preadv = failing_read;
  return calls;
}

struct fault_fixture {
  temporary_directory directory;
  std::filesystem::path file = directory.path() / "sample.spill";
  std::vector<sample_object> objects = make_objects(4, 100);

  write_result write(const io_calls& calls, sync_policy sync = sync_policy::none) {
    return write_records(file, 0, views_of(objects), sync, calls);
  }
};

} // namespace

TEST_CASE_FIXTURE(fault_fixture, "short and interrupted transfers are continued") {
  auto calls =
    faulty_transfers({.bytes_before_error = SIZE_MAX, .max_at_once = 7, .interruptions = 3});
  CHECK(write(calls).records_written == 4);
  plan.interruptions = 3;
  for (std::size_t i = 0; i < objects.size(); ++i)
    CHECK(is_intact(file, i * objects[0].record_bytes(), objects[i], calls));
}

TEST_CASE_FIXTURE(fault_fixture,
                  "a write that fails at any byte reports exactly the whole records") {
  auto record_bytes = objects[0].record_bytes();
  for (std::size_t bytes = 0; bytes < 4 * record_bytes; ++bytes) {
    CAPTURE(bytes);
    auto result = write(faulty_transfers({.bytes_before_error = bytes}));
    REQUIRE(result.records_written == bytes / record_bytes);
    REQUIRE(result.failure->error_number == EIO);
    for (std::size_t i = 0; i < result.records_written; ++i)
      REQUIRE(is_intact(file, i * record_bytes, objects[i]));
    REQUIRE_FALSE(remove_file(file));
  }
}

TEST_CASE_FIXTURE(fault_fixture, "after a failed sync no record of the batch counts") {
  auto calls = system_io_calls();
  calls.fdatasync = failing_sync;
  auto result = write(calls, sync_policy::data);
  CHECK(result.records_written == 0);
  CHECK(result.failure->operation == io_operation::sync);
}

TEST_CASE_FIXTURE(fault_fixture, "an interrupted sync is repeated") {
  auto calls = system_io_calls();
  calls.fdatasync = interrupted_sync;
  plan = {.interruptions = 2};
  CHECK(write(calls, sync_policy::data).records_written == 4);
  CHECK(plan.interruptions == 0);
}

TEST_CASE_FIXTURE(fault_fixture, "after a failed close no record of the batch counts") {
  auto calls = system_io_calls();
  calls.close = failing_close;
  auto result = write(calls);
  CHECK(result.records_written == 0);
  CHECK(result.failure->operation == io_operation::close);
}

TEST_CASE_FIXTURE(fault_fixture, "a read error is neither damage nor a missing file") {
  REQUIRE(write(system_io_calls()).records_written == 4);
  auto result = read_object(file, 0, objects[0], faulty_transfers({.bytes_before_error = 50}));
  CHECK(result.result.status == read_status::failed);
  CHECK(explain(*result.result.failure).find("cannot read") == 0);
}

TEST_CASE_FIXTURE(fault_fixture, "a read error in one record takes no other along") {
  REQUIRE(write(system_io_calls()).records_written == 4);
  auto calls = system_io_calls();
  calls.preadv = read_around_bad_byte;
  bad_byte = static_cast<off_t>(objects[0].record_bytes() + 50);
  auto back = read_together(file, objects, calls);
  CHECK(back[0].status == read_status::intact);
  CHECK(back[1].status == read_status::failed);
  CHECK(back[2].status == read_status::intact);
  CHECK(back[3].status == read_status::intact);
}

TEST_CASE_FIXTURE(fault_fixture, "a file that cannot be removed says why") {
  auto calls = system_io_calls();
  calls.unlink = failing_unlink;
  auto failure = remove_file(file, calls);
  REQUIRE(failure);
  CHECK(failure->operation == io_operation::remove);
}

TEST_CASE("each failure of a disk is named in words, with its directory and a remedy of its own") {
  std::set<std::string> remedies;
  const std::vector<int> errors{ENOSPC, EDQUOT, EFBIG, EACCES, EROFS, ENOENT, EMFILE, EIO};
  for (auto number : errors) {
    auto text =
      explain({.path = "/disk/file", .operation = io_operation::write, .error_number = number});
    auto begin = "cannot write /disk/file: " + std::generic_category().message(number) + "; ";
    REQUIRE(text.starts_with(begin));
    remedies.insert(text.substr(begin.size()));
  }
  CHECK(remedies.size() == errors.size());
}

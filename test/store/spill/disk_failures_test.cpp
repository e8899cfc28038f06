// What the log and waiting callers are told of directories that fail: each cause once, and few
// lines however often it comes back.

#include "mobula/store/spill/disk_failures.hpp"

#include <cerrno>

#include <doctest/doctest.h>

#include "../../contains.hpp"

using namespace mobula;
using test::contains;

namespace {

constexpr spill_directory first{0};
constexpr spill_directory second{1};

io_failure failure(int error_number, io_operation operation = io_operation::write) {
  return {.path = "/a/file", .operation = operation, .error_number = error_number};
}

struct two_directories {
  directory_failures failures{{"/a", "/b"}};
};

} // namespace

TEST_CASE_FIXTURE(two_directories,
                  "a directory that fails is told of once, with cause and remedy") {
  auto line = failures.write_failed(first, failure(EROFS));
  REQUIRE(line);
  CHECK(contains(*line, "cannot spill to /a: cannot write /a/file: Read-only file system; "));
  CHECK(contains(*line, "mount that file system for writing"));
  for (int count = 0; count < 100; ++count)
    CHECK(!failures.write_failed(first, failure(EROFS)));
}

TEST_CASE_FIXTURE(two_directories, "another cause, and another directory, are told of too") {
  CHECK(failures.write_failed(first, failure(ENOSPC)));
  CHECK(failures.write_failed(second, failure(ENOSPC)));
  CHECK(failures.write_failed(first, failure(EIO)));
  CHECK(!failures.write_failed(second, failure(ENOSPC)));
}

TEST_CASE_FIXTURE(two_directories,
                  "a directory that recovers is told of, and so is its next failure") {
  CHECK(!failures.wrote(first));
  CHECK(failures.write_failed(first, failure(EDQUOT)));
  CHECK(failures.wrote(first) == "can spill to /a again");
  CHECK(!failures.wrote(first));
  CHECK(failures.write_failed(first, failure(EDQUOT)));
}

TEST_CASE_FIXTURE(two_directories,
                  "a directory that fails and recovers all the time leaves few lines") {
  int failed = 0;
  int recovered = 0;
  for (int round = 0; round < 1'000; ++round) {
    failed += failures.write_failed(first, failure(ENOSPC)) ? 1 : 0;
    CHECK(contains(failures.trouble().writing, "No space left on device"));
    recovered += failures.wrote(first) ? 1 : 0;
    CHECK(failures.trouble().writing == "");
  }
  CHECK(failed == 10);
  CHECK(recovered == 10);
  // Another directory's are counted apart.
  CHECK(failures.write_failed(second, failure(ENOSPC)));
}

TEST_CASE_FIXTURE(two_directories, "a directory whose cause of failure changes leaves few lines") {
  int lines = 0;
  for (int round = 0; round < 500; ++round) {
    lines += failures.write_failed(first, failure(ENOSPC)) ? 1 : 0;
    lines += failures.write_failed(first, failure(EDQUOT)) ? 1 : 0;
  }
  CHECK(lines == 10);
  // What is known of it is taken back, though its last failure was not told.
  CHECK(failures.wrote(first) == "can spill to /a again");
}

TEST_CASE_FIXTURE(two_directories, "a failure that comes again is told with how often it came") {
  failures.write_failed(first, failure(EIO));
  failures.wrote(first);
  auto line = failures.write_failed(first, failure(EIO));
  REQUIRE(line);
  CHECK(line->ends_with(" (2 times so far)"));
}

TEST_CASE_FIXTURE(two_directories, "reads and removals that fail in turns leave few lines") {
  int reads = 0;
  int removals = 0;
  for (int round = 0; round < 500; ++round) {
    for (auto error : {EIO, EMFILE})
      reads += failures.read_failed(first, failure(error, io_operation::read)) ? 1 : 0;
    removals += failures.remove_failed(first, failure(EROFS, io_operation::remove)) ? 1 : 0;
    failures.removed(first);
  }
  CHECK(reads == 10);
  CHECK(removals == 9);
}

TEST_CASE_FIXTURE(two_directories,
                  "who finds no space learns what each directory said, while it fails") {
  CHECK(failures.trouble().writing == "");
  failures.write_failed(first, failure(EROFS));
  failures.write_failed(second, failure(ENOSPC));
  CHECK(contains(failures.trouble().writing, "Read-only file system"));
  CHECK(contains(failures.trouble().writing, "No space left on device"));
  failures.wrote(first);
  CHECK(!contains(failures.trouble().writing, "Read-only"));
  failures.wrote(second);
  CHECK(failures.trouble().writing == "");
}

TEST_CASE_FIXTURE(two_directories, "a read that fails is told of once, and to each who reads") {
  auto line = failures.read_failed(second, failure(EMFILE, io_operation::open));
  REQUIRE(line);
  CHECK(contains(*line, "cannot read back what was spilled to /b: cannot open /a/file: "));
  CHECK(contains(*line, "ulimit -n"));
  CHECK(!failures.read_failed(second, failure(EMFILE, io_operation::open)));
  CHECK(failures.read_failed(second, failure(EIO, io_operation::read)));
  CHECK(contains(failures.trouble().reading, "the disk fails"));
  CHECK(failures.trouble().writing == "");
}

TEST_CASE_FIXTURE(two_directories, "a file that stays is told of once until one goes") {
  CHECK(failures.remove_failed(first, failure(EROFS, io_operation::remove)));
  CHECK(!failures.remove_failed(first, failure(EROFS, io_operation::remove)));
  failures.removed(first);
  CHECK(failures.remove_failed(first, failure(EROFS, io_operation::remove)));
}

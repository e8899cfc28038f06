// Claims on spill directories: who counts as alive, and whose files are swept.

#include "mobula/store/spill/spill_claim.hpp"

#include <cerrno>
#include <csignal>
#include <fstream>
#include <optional>
#include <utility>
#include <variant>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../temporary_directory.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr incarnation_id first{.high = 1, .low = 1};
constexpr incarnation_id second{.high = 1, .low = 2};

struct claim_fixture {
  temporary_directory directory;

  std::filesystem::path spill_file(const incarnation_id& incarnation, std::uint64_t number) const {
    return directory.path() / spill_file_name("test", incarnation, spill_file_id{number});
  }

  void leave_file(const std::filesystem::path& path) const {
    std::ofstream{path} << "four";
  }

  spill_claim claim(const incarnation_id& incarnation) const {
    auto result = spill_claim::make(directory.path(), "test", incarnation);
    REQUIRE(std::holds_alternative<spill_claim>(result));
    return std::get<spill_claim>(std::move(result));
  }

  sweep_result sweep() const {
    return sweep_directory(directory.path());
  }
};

/// A process that claims a directory, leaves a spill file there, and waits to be killed.
class claiming_process {
public:
  claiming_process(const claim_fixture& fixture, const incarnation_id& incarnation) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    child_ = ::fork();
    REQUIRE(child_ >= 0);
    if (child_ == 0) {
      auto claim = spill_claim::make(fixture.directory.path(), "test", incarnation);
      fixture.leave_file(fixture.spill_file(incarnation, 1));
      auto told = ::write(ready[1], "x", 1);
      while (told == 1)
        ::pause();
      ::_exit(1);
    }
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    ::close(ready[0]);
    ::close(ready[1]);
  }

  ~claiming_process() {
    kill();
  }

  void kill() {
    if (child_ <= 0)
      return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = -1;
  }

private:
  pid_t child_;
};

} // namespace

TEST_CASE_FIXTURE(claim_fixture, "a forked child gives no claim up") {
  auto held = std::make_optional(claim(first));
  auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    held.reset();
    ::_exit(0);
  }
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(std::filesystem::exists(directory.path() / spill_lock_name("test", first)));
  CHECK(sweep().incarnations_alive == 1);
}

TEST_CASE("names say cluster, incarnation and number") {
  CHECK(spill_file_name("my-cluster", first, spill_file_id{7})
        == "mobula-my-cluster-00000000000000010000000000000001-7.spill");
  CHECK(spill_lock_name("my-cluster", first)
        == "mobula-my-cluster-00000000000000010000000000000001.lock");
}

TEST_CASE_FIXTURE(claim_fixture, "files of an incarnation without a lock are swept") {
  leave_file(spill_file(first, 1));
  leave_file(spill_file(first, 2));
  auto result = sweep();
  CHECK(result.files_removed == 2);
  CHECK(result.bytes_removed == 8);
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE_FIXTURE(claim_fixture, "files of a living incarnation stay, even in the same process") {
  auto alive = claim(first);
  leave_file(spill_file(first, 1));
  leave_file(spill_file(second, 1));
  auto result = sweep();
  CHECK(result.files_removed == 1);
  CHECK(result.incarnations_alive == 1);
  CHECK(std::filesystem::exists(spill_file(first, 1)));
}

TEST_CASE_FIXTURE(claim_fixture, "a claim that ends leaves no lock file") {
  {
    auto alive = claim(first);
    CHECK_FALSE(std::filesystem::is_empty(directory.path()));
  }
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE_FIXTURE(claim_fixture, "a claim can be moved") {
  auto alive = claim(first);
  auto other = std::move(alive);
  CHECK(sweep().incarnations_alive == 1);
  other = claim(second);
  CHECK(sweep().incarnations_alive == 1);
}

TEST_CASE_FIXTURE(claim_fixture, "a claim whose file was removed is renewed, and protects again") {
  auto claim = std::get<spill_claim>(spill_claim::make(directory.path(), "test", first));
  std::filesystem::remove(directory.path() / spill_lock_name("test", first));
  CHECK_FALSE(claim.renew());
  CHECK_FALSE(claim.renew());
  CHECK(sweep_directory(directory.path()).incarnations_alive == 1);
}

TEST_CASE_FIXTURE(claim_fixture,
                  "a claim on a directory that is gone cannot be renewed, and says so") {
  auto inside = directory.path() / "inside";
  std::filesystem::create_directory(inside);
  auto claim = std::get<spill_claim>(spill_claim::make(inside, "test", first));
  std::filesystem::remove_all(inside);
  auto failure = claim.renew();
  REQUIRE(failure);
  CHECK(failure->operation == io_operation::open);
  std::filesystem::create_directory(inside);
  CHECK_FALSE(claim.renew());
}

TEST_CASE_FIXTURE(claim_fixture, "files of a killed process are swept, not before") {
  claiming_process process{*this, first};
  CHECK(sweep().incarnations_alive == 1);
  CHECK(std::filesystem::exists(spill_file(first, 1)));
  process.kill();
  CHECK(sweep().files_removed == 1);
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE_FIXTURE(claim_fixture, "two living claims to one incarnation are refused") {
  auto alive = claim(first);
  auto again = spill_claim::make(directory.path(), "test", first);
  REQUIRE(std::holds_alternative<io_failure>(again));
  CHECK(explain(std::get<io_failure>(again)).find("a living node holds it") != std::string::npos);
}

TEST_CASE_FIXTURE(claim_fixture, "a lock file behind a symbolic link is not believed") {
  auto elsewhere = directory.path() / "elsewhere";
  leave_file(elsewhere);
  std::filesystem::create_symlink(elsewhere, directory.path() / spill_lock_name("test", first));
  leave_file(spill_file(first, 1));
  auto result = sweep();
  CHECK(result.files_removed == 0);
  CHECK(result.incarnations_alive == 1);
  REQUIRE(result.failures.size() == 1);
  CHECK(result.failures[0].error_number == ELOOP);
  auto claimed = spill_claim::make(directory.path(), "test", first);
  REQUIRE(std::holds_alternative<io_failure>(claimed));
  CHECK(std::get<io_failure>(claimed).error_number == ELOOP);
}

TEST_CASE_FIXTURE(claim_fixture, "files of others stay") {
  for (auto* name : {"mobula-test-1.spill", "mobula.lock", "notes.txt", "mobula-a-b-c.spill",
                     "mobula-test-0000000000000001000000000000000g-1.spill",
                     "mobula-test-00000000000000010000000000000001-x.spill",
                     "00000000000000010000000000000001-1.spill"})
    leave_file(directory.path() / name);
  auto result = sweep();
  CHECK(result.files_removed == 0);
  CHECK(result.failures.empty());
}

TEST_CASE_FIXTURE(claim_fixture, "a directory that cannot be listed is told") {
  auto result = sweep_directory(directory.path() / "missing");
  REQUIRE(result.failures.size() == 1);
  CHECK(result.failures[0].operation == io_operation::list);
}

TEST_CASE_FIXTURE(claim_fixture, "claiming a missing directory fails") {
  auto result = spill_claim::make(directory.path() / "missing", "test", first);
  REQUIRE(std::holds_alternative<io_failure>(result));
  CHECK(std::get<io_failure>(result).error_number == ENOENT);
}

TEST_CASE_FIXTURE(claim_fixture, "what cannot be removed is told, and removed by the next sweep") {
  leave_file(spill_file(first, 1));
  auto calls = system_io_calls();
  calls.unlink = [](const char*) {
    errno = EACCES;
    return -1;
  };
  auto result = sweep_directory(directory.path(), calls);
  CHECK(result.files_removed == 0);
  CHECK(result.failures.size() == 1);
  CHECK(sweep().files_removed == 1);
}

TEST_CASE_FIXTURE(claim_fixture, "processes killed one after another leave nothing behind") {
  for (std::uint64_t round = 1; round <= 100; ++round) {
    claiming_process process{*this, {.high = 9, .low = round}};
    process.kill();
    auto result = sweep();
    REQUIRE(result.files_removed == 1);
    REQUIRE(result.failures.empty());
  }
  CHECK(std::filesystem::is_empty(directory.path()));
}

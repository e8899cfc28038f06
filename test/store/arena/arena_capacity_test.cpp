// How large an arena becomes by default, with a machine and a memory cgroup of our own.

#include "mobula/store/arena/arena_capacity.hpp"

#include "../system/memory_files.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

/// A machine and a memory cgroup, with an arena directory that has far more space.
struct capacity_fixture : memory_files {
  capacity_fixture() {
    write("proc/self/cgroup", "0::/\n");
    write("proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 900 kB\n");
  }

  [[nodiscard]] std::uint64_t default_bytes() const {
    return std::get<std::uint64_t>(default_arena_bytes(path(), path()));
  }
};

} // namespace

TEST_CASE_FIXTURE(capacity_fixture, "the default is 30 % of the machine's memory") {
  CHECK(default_bytes() == 307'200);
}

TEST_CASE_FIXTURE(capacity_fixture, "the default is 30 % of what a memory cgroup grants") {
  write_group("sys/fs/cgroup", "200000\n", "1000\n");
  CHECK(default_bytes() == 60'000);
}

TEST_CASE_FIXTURE(capacity_fixture, "the default leaves half of what is still free in the group") {
  write_group("sys/fs/cgroup", "200000\n", "150000\n");
  CHECK(default_bytes() == 25'000);
}

TEST_CASE_FIXTURE(capacity_fixture, "the default leaves half of what the machine has free") {
  write("proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 10 kB\n");
  CHECK(default_bytes() == 5'120);
}

TEST_CASE_FIXTURE(capacity_fixture, "no arena may be larger than what the group has free") {
  write_group("sys/fs/cgroup", "200000\n", "150000\n");
  CHECK(std::get<std::uint64_t>(available_bytes(path(), path())) == 50'000);
}

TEST_CASE_FIXTURE(capacity_fixture, "no arena may be larger than what its file system has free") {
  write_group("sys/fs/cgroup", "1000000000000000000\n", "0\n");
  auto bytes = std::get<std::uint64_t>(available_bytes(path(), path()));
  CHECK(bytes > 0);
  CHECK(bytes < 900'000'000'000'000'000U);
}

TEST_CASE_FIXTURE(memory_files, "the default is no more than the directory has free") {
  auto available = available_bytes("/dev/shm");
  auto chosen = default_arena_bytes("/dev/shm");
  REQUIRE(std::holds_alternative<std::uint64_t>(chosen));
  CHECK(std::get<std::uint64_t>(chosen) > 0);
  // Other processes write there between the two questions.
  CHECK(std::get<std::uint64_t>(chosen) <= std::get<std::uint64_t>(available) + (1ULL << 30));
}

TEST_CASE_FIXTURE(memory_files, "a missing directory cannot be measured") {
  auto result = available_bytes(path() / "missing");
  REQUIRE(std::holds_alternative<io_failure>(result));
  CHECK(std::get<io_failure>(result).operation == io_operation::measure);
}

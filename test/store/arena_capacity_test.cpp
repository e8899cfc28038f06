#include "mobula/store/arena_capacity.hpp"

#include <fstream>
#include <string_view>

#include "../temporary_directory.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

/// A root directory with cgroup files of our own.
struct cgroup_fixture {
  temporary_directory root;

  void write(const std::filesystem::path& file, std::string_view text) const {
    std::filesystem::create_directories((root.path() / file).parent_path());
    std::ofstream{root.path() / file} << text;
  }

  void write_group(const std::filesystem::path& group, std::string_view limit,
                   std::string_view usage) const {
    write(group / "memory.max", limit);
    write(group / "memory.current", usage);
  }
};

} // namespace

TEST_CASE_FIXTURE(cgroup_fixture, "without a memory cgroup nothing is limited") {
  CHECK_FALSE(cgroup_free_bytes(root.path()));
  write("proc/self/cgroup", "0::/\n");
  write_group("sys/fs/cgroup", "max\n", "5\n");
  CHECK_FALSE(cgroup_free_bytes(root.path()));
}

TEST_CASE_FIXTURE(cgroup_fixture, "the tightest of all levels of cgroups decides") {
  write("proc/self/cgroup", "0::/outer/inner\n");
  write_group("sys/fs/cgroup/outer", "100\n", "70\n");
  write_group("sys/fs/cgroup/outer/inner", "90\n", "10\n");
  CHECK(cgroup_free_bytes(root.path()) == 30);
}

TEST_CASE_FIXTURE(cgroup_fixture, "page cache that would be dropped counts as free") {
  write("proc/self/cgroup", "0::/\n");
  write_group("sys/fs/cgroup", "100\n", "70\n");
  write("sys/fs/cgroup/memory.stat", "anon 30\ninactive_file 40\n");
  CHECK(cgroup_free_bytes(root.path()) == 70);
}

TEST_CASE_FIXTURE(cgroup_fixture, "version 1 is understood, also where its path is not mounted") {
  write("proc/self/cgroup", "5:cpu,cpuacct:/\n4:memory:/outside/of/container\n0::/\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "100\n");
  write("sys/fs/cgroup/memory/memory.usage_in_bytes", "120\n");
  CHECK(cgroup_free_bytes(root.path()) == 0);
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  CHECK_FALSE(cgroup_free_bytes(root.path()));
}

TEST_CASE_FIXTURE(cgroup_fixture, "the default is no more than is available") {
  auto available = available_bytes(root.path());
  auto chosen = default_arena_bytes(root.path());
  REQUIRE(std::holds_alternative<std::uint64_t>(chosen));
  CHECK(std::get<std::uint64_t>(chosen) > 0);
  // Other processes write to the same disk between the two questions.
  CHECK(std::get<std::uint64_t>(chosen) <= std::get<std::uint64_t>(available) + (1ULL << 30));
}

TEST_CASE_FIXTURE(cgroup_fixture, "a missing directory cannot be measured") {
  auto result = available_bytes(root.path() / "missing");
  REQUIRE(std::holds_alternative<io_failure>(result));
  CHECK(std::get<io_failure>(result).operation == io_operation::measure);
}

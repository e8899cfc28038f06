// Memory that cgroups and the machine grant, read from a root directory with files of our own.

#include "mobula/store/system/memory_grant.hpp"

#include "memory_files.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

cgroup_memory limits(std::uint64_t granted_bytes, std::uint64_t free_bytes) {
  return {.granted_bytes = granted_bytes, .free_bytes = free_bytes};
}

} // namespace

TEST_CASE_FIXTURE(memory_files, "without a memory cgroup the machine's memory is granted") {
  write("proc/meminfo", "MemTotal:       1000 kB\nMemFree: 10 kB\nMemAvailable:    400 kB\n");
  CHECK(read_cgroup_memory(path()) == cgroup_memory{});
  CHECK(granted_memory_bytes(path()) == 1000 * 1024);
  CHECK(free_memory_bytes(path()) == 400 * 1024);
}

TEST_CASE_FIXTURE(memory_files, "a machine that shows no figures grants what it has") {
  CHECK(granted_memory_bytes(path()) > 0);
  CHECK(free_memory_bytes(path()) == granted_memory_bytes(path()));
}

TEST_CASE_FIXTURE(memory_files, "a group without a limit limits nothing") {
  write("proc/self/cgroup", "0::/\n");
  write_group("sys/fs/cgroup", "max\n", "5\n");
  write("sys/fs/cgroup/memory.high", "max\n");
  CHECK(read_cgroup_memory(path()) == cgroup_memory{});
}

TEST_CASE_FIXTURE(memory_files, "a group's limit is granted however much of it is in use") {
  write("proc/self/cgroup", "0::/\n");
  write_group("sys/fs/cgroup", "100\n", "70\n");
  CHECK(read_cgroup_memory(path()) == limits(100, 30));
  CHECK(granted_memory_bytes(path()) == 100);
  CHECK(free_memory_bytes(path()) == 30);
}

TEST_CASE_FIXTURE(memory_files, "the tightest of all levels of cgroups decides") {
  write("proc/self/cgroup", "0::/outer/inner\n");
  write_group("sys/fs/cgroup/outer", "100\n", "70\n");
  write_group("sys/fs/cgroup/outer/inner", "90\n", "10\n");
  CHECK(read_cgroup_memory(path()) == limits(90, 30));
}

TEST_CASE_FIXTURE(memory_files, "levels without a limit are passed over on the way down") {
  write("proc/self/cgroup", "0::/a/b/c\n");
  write_group("sys/fs/cgroup/a", "100\n", "20\n");
  write_group("sys/fs/cgroup/a/b", "max\n", "15\n");
  write_group("sys/fs/cgroup/a/b/c", "max\n", "10\n");
  CHECK(read_cgroup_memory(path()) == limits(100, 80));
}

TEST_CASE_FIXTURE(memory_files, "a group beside ours says nothing of us") {
  write("proc/self/cgroup", "0::/ours\n");
  write_group("sys/fs/cgroup/other", "100\n", "70\n");
  CHECK(read_cgroup_memory(path()) == cgroup_memory{});
}

TEST_CASE_FIXTURE(memory_files, "the mark above which a group is slowed down is a limit as well") {
  write("proc/self/cgroup", "0::/\n");
  write_group("sys/fs/cgroup", "max\n", "30\n");
  write("sys/fs/cgroup/memory.high", "80\n");
  CHECK(read_cgroup_memory(path()) == limits(80, 50));
  write("sys/fs/cgroup/memory.max", "60\n");
  CHECK(read_cgroup_memory(path()) == limits(60, 30));
}

TEST_CASE_FIXTURE(memory_files, "page cache that would be dropped counts as free") {
  write("proc/self/cgroup", "0::/\n");
  write_group("sys/fs/cgroup", "100\n", "70\n");
  write("sys/fs/cgroup/memory.stat", "anon 20\ninactive_file 40\nactive_file 5\nshmem 5\n");
  CHECK(read_cgroup_memory(path()) == limits(100, 75));
}

TEST_CASE_FIXTURE(memory_files, "page cache beyond what is in use leaves the whole limit free") {
  write("proc/self/cgroup", "0::/\n");
  write_group("sys/fs/cgroup", "100\n", "70\n");
  write("sys/fs/cgroup/memory.stat", "inactive_file 40\nactive_file 40\n");
  CHECK(read_cgroup_memory(path()) == limits(100, 100));
}

TEST_CASE_FIXTURE(memory_files, "a group that uses more than its limit has nothing free") {
  write("proc/self/cgroup", "0::/\n");
  write_group("sys/fs/cgroup", "100\n", "120\n");
  CHECK(read_cgroup_memory(path()) == limits(100, 0));
}

TEST_CASE_FIXTURE(memory_files, "a limit counts in full where use cannot be read") {
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/memory.max", "100\n");
  CHECK(read_cgroup_memory(path()) == limits(100, 100));
}

TEST_CASE_FIXTURE(memory_files, "what is no number is no limit") {
  write("proc/self/cgroup", "0::/\n");
  for (const auto* text : {"", "\n", "none\n", "99999999999999999999999\n", "-1\n"}) {
    write_group("sys/fs/cgroup", text, "5\n");
    CHECK_MESSAGE(read_cgroup_memory(path()) == cgroup_memory{}, text);
  }
}

TEST_CASE_FIXTURE(memory_files, "a limit that no machine reaches is none") {
  write("proc/self/cgroup", "0::/\n");
  write_group("sys/fs/cgroup", "1152921504606846976\n", "5\n");
  CHECK(read_cgroup_memory(path()) == cgroup_memory{});
  write_group("sys/fs/cgroup", "1152921504606846975\n", "5\n");
  CHECK(read_cgroup_memory(path()) == limits((1ULL << 60) - 1, (1ULL << 60) - 6));
}

TEST_CASE_FIXTURE(memory_files, "a limit that may not be read is no limit") {
  write("proc/self/cgroup", "0::/\n");
  write_group("sys/fs/cgroup", "100\n", "70\n");
  // A directory in place of the file: root may read any file.
  std::filesystem::remove(path() / "sys/fs/cgroup/memory.max");
  std::filesystem::create_directory(path() / "sys/fs/cgroup/memory.max");
  CHECK(read_cgroup_memory(path()) == cgroup_memory{});
}

TEST_CASE_FIXTURE(memory_files, "version 1 is understood on all levels") {
  write("proc/self/cgroup", "5:cpu,cpuacct:/\n4:memory:/outer/inner\n0::/\n");
  write_old_group("sys/fs/cgroup/memory", "9223372036854771712\n", "500\n");
  write_old_group("sys/fs/cgroup/memory/outer", "100\n", "60\n");
  write_old_group("sys/fs/cgroup/memory/outer/inner", "90\n", "60\n");
  write("sys/fs/cgroup/memory/outer/inner/memory.stat", "cache 30\ntotal_inactive_file 20\n");
  CHECK(read_cgroup_memory(path()) == limits(90, 40));
}

TEST_CASE_FIXTURE(memory_files, "version 1 is understood where its path is not mounted") {
  write("proc/self/cgroup", "4:memory:/outside/of/container\n0::/\n");
  write_old_group("sys/fs/cgroup/memory", "100\n", "120\n");
  CHECK(read_cgroup_memory(path()) == limits(100, 0));
  write_old_group("sys/fs/cgroup/memory", "9223372036854771712\n", "120\n");
  CHECK(read_cgroup_memory(path()) == cgroup_memory{});
}

TEST_CASE_FIXTURE(memory_files, "version 1 tells of limits above the container") {
  write("proc/self/cgroup", "4:memory:/\n");
  write_old_group("sys/fs/cgroup/memory", "9223372036854771712\n", "10\n");
  write("sys/fs/cgroup/memory/memory.stat", "cache 5\nhierarchical_memory_limit 80\n");
  CHECK(read_cgroup_memory(path()) == limits(80, 80));
  CHECK(granted_memory_bytes(path()) == 80);
  CHECK(free_memory_bytes(path()) == 80);
  write("sys/fs/cgroup/memory/memory.stat", "hierarchical_memory_limit 9223372036854771712\n");
  CHECK(read_cgroup_memory(path()) == cgroup_memory{});
}

TEST_CASE_FIXTURE(memory_files, "of version 1 only the memory controller's group is ours") {
  write("proc/self/cgroup", "5:cpu:/other\n4:memory:/ours\n");
  write_old_group("sys/fs/cgroup/memory/other", "100\n", "70\n");
  CHECK(read_cgroup_memory(path()) == cgroup_memory{});
}

TEST_CASE_FIXTURE(memory_files,
                  "a group's limit beyond the machine's memory grants no more than that") {
  write("proc/meminfo", "MemTotal: 1 kB\nMemAvailable: 1 kB\n");
  write("proc/self/cgroup", "0::/\n");
  write_group("sys/fs/cgroup", "4096\n", "0\n");
  CHECK(granted_memory_bytes(path()) == 1024);
}

TEST_CASE_FIXTURE(memory_files, "a hierarchy is found wherever it is mounted") {
  write("proc/self/cgroup", "4:memory:/old\n0::/new\n");
  write("proc/self/mountinfo",
        "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
        "35 31 0:32 / /groups/with\\040space rw,relatime shared:9 - cgroup cgroup rw,memory\n"
        "41 31 0:38 / /groups/unified040 rw - cgroup2 cgroup2 rw\n");
  write_old_group("groups/with space/old", "200\n", "20\n");
  CHECK(read_cgroup_memory(path()) == limits(200, 180));
  write_group("groups/unified040/new", "100\n", "20\n");
  CHECK(read_cgroup_memory(path()) == limits(100, 80));
}

TEST_CASE_FIXTURE(memory_files,
                  "of version 1 only the hierarchy with the memory controller counts") {
  write("proc/self/cgroup", "7:name=memory:/old\n4:memory:/old\n");
  write("proc/self/mountinfo", "35 31 0:32 / /groups/cpu rw - cgroup cgroup rw,cpu\n"
                               "36 31 0:33 / /groups/named rw - cgroup cgroup rw,name=memory\n");
  write_old_group("groups/cpu/old", "100\n", "20\n");
  write_old_group("groups/named/old", "50\n", "10\n");
  CHECK(read_cgroup_memory(path()) == cgroup_memory{});
}

TEST_CASE_FIXTURE(memory_files, "version 2 is found beside version 1 where no mount is shown") {
  write("proc/self/cgroup", "4:memory:/\n0::/new\n");
  write_group("sys/fs/cgroup/unified/new", "100\n", "20\n");
  CHECK(read_cgroup_memory(path()) == limits(100, 80));
}

TEST_CASE_FIXTURE(memory_files, "a group's name may have a colon") {
  write("proc/self/cgroup", "0::/one:two\n");
  write_group("sys/fs/cgroup/one:two", "100\n", "20\n");
  CHECK(read_cgroup_memory(path()) == limits(100, 80));
}

TEST_CASE_FIXTURE(memory_files, "a container sees its own group as the top of the mount") {
  write("proc/self/cgroup", "0::/docker/box/inner\n");
  write("proc/self/mountinfo", "41 31 0:38 /docker/box /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  write_group("sys/fs/cgroup", "100\n", "20\n");
  write_group("sys/fs/cgroup/inner", "50\n", "10\n");
  CHECK(read_cgroup_memory(path()) == limits(50, 40));
}

TEST_CASE_FIXTURE(memory_files, "the name of a container's group may have a space") {
  write("proc/self/cgroup", "0::/my box/inner\n");
  write("proc/self/mountinfo", "41 31 0:38 /my\\040box /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  write_group("sys/fs/cgroup/inner", "50\n", "10\n");
  CHECK(read_cgroup_memory(path()) == limits(50, 40));
}

TEST_CASE_FIXTURE(memory_files, "below the top of the mount a container's own path means nothing") {
  write("proc/self/cgroup", "0::/docker/box\n");
  write("proc/self/mountinfo", "41 31 0:38 /docker/box /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  write_group("sys/fs/cgroup", "100\n", "20\n");
  write_group("sys/fs/cgroup/docker/box", "50\n", "10\n");
  CHECK(read_cgroup_memory(path()) == limits(100, 80));
}

TEST_CASE_FIXTURE(memory_files,
                  "a group whose name only begins as the mounted one's is not below it") {
  write("proc/self/cgroup", "0::/docker/boxes\n");
  write("proc/self/mountinfo", "41 31 0:38 /docker/box /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  write_group("sys/fs/cgroup", "100\n", "20\n");
  write_group("sys/fs/cgroup/es", "50\n", "10\n");
  CHECK(read_cgroup_memory(path()) == limits(100, 80));
}

TEST_CASE_FIXTURE(memory_files, "a group outside of the mounted part is not looked for there") {
  write("proc/self/cgroup", "0::/../sibling\n");
  write_group("sys/fs/cgroup", "100\n", "20\n");
  write_group("sys/fs/sibling", "50\n", "10\n");
  write_group("sys/fs/cgroup/sibling", "40\n", "10\n");
  CHECK(read_cgroup_memory(path()) == limits(100, 80));
}

TEST_CASE_FIXTURE(memory_files, "of machine and group the lesser is free") {
  write("proc/self/cgroup", "0::/\n");
  write("proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 1 kB\n");
  write_group("sys/fs/cgroup", "100000\n", "20\n");
  CHECK(granted_memory_bytes(path()) == 100'000);
  CHECK(free_memory_bytes(path()) == 1024);
}

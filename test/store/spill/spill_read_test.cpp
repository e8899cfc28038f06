// What is read back, with what, and how often.

#include "spill_shell.hpp"

using namespace mobula;
using namespace mobula::test;

TEST_CASE("a restored object keeps its record") {
  spill_shell shell;
  shell.store(1, 10);
  shell.restore(1);
  shell.finish_read();
  CHECK(shell.restored.at(1) == 1);
  CHECK(shell.table.stats().live_bytes == 10);
  shell.restore(1);
  shell.finish_read();
  CHECK(shell.restored.at(1) == 2);
}

TEST_CASE("restores of one object are joined, and answered once") {
  spill_shell shell;
  shell.store(1, 10);
  shell.restore(1);
  shell.restore(1);
  CHECK(shell.reads.size() == 1);
  shell.finish_read();
  CHECK(shell.restored.at(1) == 1);
}

TEST_CASE("several objects are restored at once, within the bound") {
  spill_shell shell{{.max_reads = 2}};
  for (std::uint64_t number = 1; number <= 3; ++number)
    shell.store(number, 10);
  for (std::uint64_t number = 1; number <= 3; ++number)
    shell.restore(number);
  CHECK(shell.reads.size() == 2);
  shell.finish_read();
  CHECK(shell.reads.size() == 2);
}

TEST_CASE("what lies side by side and waits is read at once") {
  spill_shell shell{{.max_writes = 1, .max_reads = 1, .read_bytes = 40}};
  for (std::uint64_t number = 1; number <= 7; ++number)
    shell.store(number, 10);
  // 1 goes alone, since nothing else waits. 4 is not wanted; 7 would make a read of 50 bytes.
  for (std::uint64_t number : {1, 2, 3, 5, 6, 7})
    shell.restore(number);
  while (!shell.reads.empty())
    shell.finish_read();
  CHECK(shell.read_sizes == std::vector<std::size_t>{1, 2, 3});
  CHECK(shell.restored.size() == 6);
}

TEST_CASE("a read of many ends within its bound") {
  spill_shell shell{{.max_writes = 1, .max_reads = 1, .read_bytes = 25}};
  for (std::uint64_t number = 1; number <= 5; ++number)
    shell.store(number, 10);
  for (std::uint64_t number = 1; number <= 5; ++number)
    shell.restore(number);
  while (!shell.reads.empty())
    shell.finish_read();
  CHECK(shell.read_sizes == std::vector<std::size_t>{1, 2, 2});
}

TEST_CASE("a read may take exactly as many bytes as its bound") {
  spill_shell shell{{.max_writes = 1, .max_reads = 1, .read_bytes = 20}};
  for (std::uint64_t number = 1; number <= 4; ++number)
    shell.store(number, 10);
  for (std::uint64_t number = 1; number <= 4; ++number)
    shell.restore(number);
  shell.finish_read();
  CHECK(shell.reads.size() == 2);
}

TEST_CASE("a read makes way for another when all of its records are answered") {
  spill_shell shell{{.max_writes = 1, .max_reads = 1}};
  for (std::uint64_t number = 1; number <= 3; ++number)
    shell.store(number, 10);
  for (std::uint64_t number = 1; number <= 3; ++number)
    shell.restore(number);
  shell.finish_read();
  shell.restore(1);
  shell.fail_read(restore_error::record_lost);
  CHECK(shell.reads.size() == 1);
  shell.finish_read();
  CHECK(shell.restored.at(3) == 1);
  CHECK(shell.read_sizes == std::vector<std::size_t>{1, 2, 1});
}

TEST_CASE("a damaged record loses its object and none of its neighbours") {
  spill_shell shell{{.max_writes = 1}};
  shell.store(1, 10);
  shell.store(2, 10);
  shell.restore(1);
  shell.fail_read(restore_error::record_lost);
  CHECK(shell.restore_failures.at(1) == restore_error::record_lost);
  CHECK_FALSE(shell.table.contains(object_number(1)));
  shell.restore(2);
  shell.finish_read();
  CHECK(shell.restored.at(2) == 1);
}

TEST_CASE("a read that fails on the disk is tried again, and keeps the record") {
  spill_shell shell{{.max_read_attempts = 2}};
  shell.store(1, 10);
  shell.restore(1);
  shell.fail_read(restore_error::io_error);
  CHECK(shell.restore_failures.empty());
  shell.fail_read(restore_error::io_error);
  CHECK(shell.restore_failures.at(1) == restore_error::io_error);
  shell.restore(1);
  shell.finish_read();
  CHECK(shell.restored.at(1) == 1);
}

TEST_CASE("a restore after one that failed has all its attempts") {
  spill_shell shell{{.max_read_attempts = 2}};
  shell.store(1, 10);
  for (int round = 0; round < 2; ++round) {
    shell.restore(1);
    shell.fail_read(restore_error::io_error);
    CHECK(shell.restore_failures.empty());
    shell.fail_read(restore_error::io_error);
    CHECK(shell.restore_failures.erase(1) == 1);
  }
}

TEST_CASE("an object freed during its read is answered when the read ends") {
  spill_shell shell;
  shell.store(1, 10);
  shell.restore(1);
  shell.free(1);
  CHECK(shell.table.stats().live_bytes == 0);
  CHECK(shell.deletions.size() == 1);
  shell.finish_delete();
  shell.fail_read(restore_error::record_lost);
  CHECK(shell.restore_failures.at(1) == restore_error::canceled);
}

TEST_CASE("an object freed twice during its read is dead once") {
  spill_shell shell;
  shell.store(1, 10);
  shell.store(2, 10);
  shell.restore(1);
  shell.free(1);
  shell.free(1);
  CHECK(shell.table.stats().spilled_objects == 1);
  shell.finish_read();
  CHECK(shell.restore_failures.at(1) == restore_error::canceled);
}

TEST_CASE("an object freed before its read is answered at once") {
  spill_shell shell{{.max_reads = 1}};
  shell.store(1, 10);
  shell.store(2, 10);
  shell.restore(1);
  shell.restore(2);
  shell.free(2);
  CHECK(shell.restore_failures.at(2) == restore_error::canceled);
}

TEST_CASE("restoring what has no record fails") {
  spill_shell shell;
  shell.restore(1);
  CHECK(shell.restore_failures.at(1) == restore_error::record_lost);
}

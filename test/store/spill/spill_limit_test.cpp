// What becomes of files that the limit on disk keeps from filling.

#include "spill_shell.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

/// One file that takes more records, and a limit that has space for one more of ten bytes.
struct file_at_limit {
  file_at_limit() {
    for (std::uint64_t number = 1; number <= 9; ++number)
      shell.store(number, 10);
    file = shell.locations.at(1).file;
  }

  void free_all_but_first() {
    for (std::uint64_t number = 2; number <= 9; ++number)
      shell.free(number);
  }

  spill_shell shell{
    {.max_file_bytes = 1'000, .batch_bytes = 40, .max_writes = 1, .spill_limit_bytes = 100}};
  spill_file_id file{};
};

} // namespace

TEST_CASE_FIXTURE(file_at_limit, "a file that the limit keeps from filling is rewritten") {
  free_all_but_first();
  REQUIRE(shell.moves.empty());
  shell.spill(10, 20);
  CHECK(shell.spill_failures.empty());
  REQUIRE(shell.moves.size() == 1);
  CHECK(shell.moves.front().from_file == file);
  shell.finish_move();
  shell.finish_delete();
  shell.finish_write();
  CHECK(shell.spilled.contains(10));
}

TEST_CASE_FIXTURE(file_at_limit, "what dies after a spill was beyond the limit makes space, too") {
  shell.spill(10, 20);
  REQUIRE(shell.spill_failures.size() == 1);
  free_all_but_first();
  REQUIRE(shell.moves.size() == 1);
  shell.finish_move();
  shell.finish_delete();
  CHECK(shell.spilling_possible == 1);
}

TEST_CASE_FIXTURE(file_at_limit, "once there is space again, files fill as before") {
  free_all_but_first();
  shell.spill(10, 20);
  shell.finish_move();
  shell.finish_delete();
  shell.finish_write();
  shell.store(11, 60);
  shell.free(10);
  shell.free(11);
  CHECK(shell.moves.empty());
  CHECK(shell.deletions.empty());
}

TEST_CASE("what is being moved counts against the limit, too") {
  spill_shell shell{
    {.max_file_bytes = 1'000, .batch_bytes = 10, .max_writes = 2, .spill_limit_bytes = 100}};
  for (std::uint64_t number = 1; number <= 9; ++number)
    shell.store(number, 10);
  for (std::uint64_t number = 2; number <= 9; ++number)
    shell.free(number);
  shell.spill(10, 20);
  REQUIRE(shell.moves.size() == 1);
  shell.free(10);
  shell.spill(11, 10);
  CHECK(shell.writes.empty());
  CHECK_FALSE(shell.spill_failures.contains(11));
  shell.finish_move();
  shell.finish_delete();
  CHECK(shell.writes.size() == 1);
}

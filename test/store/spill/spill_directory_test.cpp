// What happens when directories fail or are full.

#include "spill_shell.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr auto first_directory = spill_directory{0};
constexpr auto second_directory = spill_directory{1};

} // namespace

TEST_CASE("a failed write keeps its prefix and fails the rest when no directory is left") {
  spill_shell shell{{.max_writes = 1}};
  shell.spill(9, 10);
  for (std::uint64_t number = 1; number <= 3; ++number)
    shell.spill(number, 10);
  shell.finish_write();
  shell.fail_write(1, spill_error::out_of_disk);
  CHECK(shell.spilled.contains(1));
  CHECK(shell.spill_failures.at(2) == spill_error::out_of_disk);
  CHECK(shell.spill_failures.at(3) == spill_error::out_of_disk);
  CHECK(shell.set_aside == std::vector{first_directory});
}

TEST_CASE("a file whose write failed takes no more records") {
  spill_shell shell{{.max_writes = 1}};
  shell.store(1, 10);
  shell.spill(2, 10);
  shell.fail_write();
  shell.retry();
  shell.store(3, 10);
  CHECK(shell.locations.at(3).file != shell.locations.at(1).file);
}

TEST_CASE("what one directory fails to take goes to another, in order") {
  spill_shell shell{{.directories = 2, .max_writes = 1}};
  shell.spill(9, 10);
  for (std::uint64_t number = 1; number <= 3; ++number)
    shell.spill(number, 10);
  shell.finish_write();
  REQUIRE(shell.writes.front().directory == second_directory);
  shell.fail_write(1);
  REQUIRE(shell.writes.size() == 1);
  CHECK(shell.writes.front().directory == first_directory);
  CHECK(shell.writes.front().records
        == std::vector<batch_record>{{object_number(2), 10}, {object_number(3), 10}});
  shell.finish_write();
  CHECK(shell.spill_failures.empty());
}

TEST_CASE("spilling is possible again after a retry, and says so") {
  spill_shell shell;
  shell.spill(1, 10);
  shell.fail_write();
  CHECK(shell.spill_failures.contains(1));
  shell.spill(1, 10);
  CHECK(shell.writes.empty());
  shell.retry();
  CHECK(shell.spilling_possible == 1);
  shell.store(1, 10);
  CHECK(shell.recovered == std::vector{first_directory});
}

TEST_CASE("a directory on probation gets one write") {
  spill_shell shell{{.batch_bytes = 10, .max_writes = 3}};
  shell.spill(1, 10);
  shell.fail_write();
  shell.retry();
  for (std::uint64_t number = 1; number <= 3; ++number)
    shell.spill(number, 10);
  CHECK(shell.writes.size() == 1);
  shell.finish_write();
  CHECK(shell.writes.size() == 2);
}

TEST_CASE("a directory that goes on failing is tried ever less often while another takes all") {
  spill_shell shell{{.directories = 2, .max_writes = 1, .max_skipped_retries = 3}};
  std::vector<int> retries_needed;
  std::uint64_t number = 0;
  // Spills one object, and returns whether the first directory was to take it.
  auto first_is_tried = [&] {
    shell.spill(++number, 10);
    auto tried = shell.writes.front().directory == first_directory;
    if (tried)
      shell.fail_write();
    shell.finish_write();
    return tried;
  };
  while (!first_is_tried())
    ; // the first failure
  for (int failure = 0; failure < 4; ++failure) {
    int retries = 0;
    for (auto tried = false; !tried; ++retries) {
      shell.retry();
      // Directories take turns.
      tried = first_is_tried() || first_is_tried();
    }
    retries_needed.push_back(retries);
  }
  CHECK(retries_needed == std::vector<int>{1, 2, 4, 4});
  CHECK(shell.spill_failures.empty());
}

TEST_CASE("a directory that goes on failing is tried at each retry if somebody waits for it") {
  spill_shell shell{{.max_skipped_retries = 63}};
  for (int failure = 0; failure < 10; ++failure) {
    shell.spill(1, 10);
    shell.fail_write();
    REQUIRE(shell.spill_failures.contains(1));
    auto before = shell.spilling_possible;
    shell.retry();
    CHECK(shell.spilling_possible == before + 1);
  }
  shell.store(1, 10);
  CHECK(shell.recovered == std::vector{first_directory});
}

TEST_CASE("a directory that recovered and fails again is skipped as briefly as the first time") {
  spill_shell shell;
  for (int round = 0; round < 3; ++round) {
    shell.spill(1, 10);
    shell.fail_write();
    shell.retry();
    shell.store(1, 10);
    shell.free(1);
  }
  CHECK(shell.recovered.size() == 3);
}

TEST_CASE("two writes under way that fail are one failure of their directory") {
  spill_shell shell{{.batch_bytes = 10, .max_writes = 2}};
  shell.spill(1, 10);
  shell.spill(2, 10);
  REQUIRE(shell.writes.size() == 2);
  shell.fail_write();
  shell.fail_write();
  CHECK(shell.set_aside == std::vector{first_directory});
  shell.retry();
  shell.store(3, 10);
}

TEST_CASE("a write that was under way when its directory failed does not make it good") {
  spill_shell shell{{.batch_bytes = 10, .max_writes = 2}};
  shell.spill(1, 10);
  shell.spill(2, 10);
  shell.fail_write();
  shell.finish_write();
  CHECK(shell.recovered.empty());
  shell.spill(3, 10);
  CHECK(shell.spill_failures.contains(3));
}

TEST_CASE("a freed object in a failed write is canceled, not tried elsewhere") {
  spill_shell shell{{.directories = 2}};
  shell.spill(1, 10);
  shell.free(1);
  shell.fail_write();
  CHECK(shell.spill_failures.at(1) == spill_error::canceled);
  CHECK(shell.writes.empty());
}

TEST_CASE("what is too large for the rest of the limit is refused, and smaller ones are not") {
  spill_shell shell{{.spill_limit_bytes = 25}};
  shell.store(1, 10);
  shell.store(2, 10);
  shell.spill(3, 10);
  CHECK(shell.spill_failures.at(3) == spill_error::beyond_limit);
  shell.store(4, 5);
}

TEST_CASE("what is being written counts to the limit") {
  spill_shell shell{{.batch_bytes = 10, .max_writes = 2, .spill_limit_bytes = 30}};
  shell.spill(1, 20);
  shell.spill(2, 20);
  CHECK(shell.spill_failures.at(2) == spill_error::beyond_limit);
  shell.spill(3, 10);
  CHECK(shell.writes.size() == 2);
}

TEST_CASE("a batch ends at the limit") {
  spill_shell shell{{.max_writes = 1, .spill_limit_bytes = 30}};
  for (std::uint64_t number = 1; number <= 4; ++number)
    shell.spill(number, 10);
  shell.finish_write();
  CHECK(shell.batch_sizes() == std::vector<std::size_t>{2});
  shell.finish_write();
  CHECK(shell.spill_failures.at(4) == spill_error::beyond_limit);
}

TEST_CASE("a spill at the limit waits for a deletion under way") {
  spill_shell shell{{.spill_limit_bytes = 10}};
  shell.store(1, 10);
  shell.free(1);
  shell.spill(2, 10);
  CHECK(shell.spill_failures.empty());
  shell.finish_delete();
  CHECK(shell.writes.size() == 1);
}

TEST_CASE("a file that goes makes spilling possible again") {
  spill_shell shell{{.spill_limit_bytes = 10}};
  shell.store(1, 10);
  shell.spill(2, 10);
  CHECK(shell.spill_failures.contains(2));
  shell.free(1);
  shell.finish_delete();
  CHECK(shell.spilling_possible == 1);
}

TEST_CASE("of several files that go only the first makes spilling possible again") {
  spill_shell shell{{.max_file_bytes = 10, .spill_limit_bytes = 20}};
  shell.store(1, 10);
  shell.store(2, 10);
  shell.spill(3, 10);
  CHECK(shell.spill_failures.contains(3));
  shell.free(1);
  shell.free(2);
  shell.finish_delete();
  shell.finish_delete();
  CHECK(shell.spilling_possible == 1);
}

TEST_CASE("a directory that comes back while another one works makes nothing possible") {
  spill_shell shell{{.directories = 2}};
  shell.spill(1, 10);
  shell.fail_write();
  shell.fail_write();
  shell.retry();
  CHECK(shell.spilling_possible == 1);
  shell.spill(1, 10);
  shell.fail_write();
  shell.finish_write();
  CHECK(shell.spilled.contains(1));
  shell.retry();
  shell.retry();
  CHECK(shell.table.stats().directories_set_aside == 0);
  CHECK(shell.spilling_possible == 1);
}

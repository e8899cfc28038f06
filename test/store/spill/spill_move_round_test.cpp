// Moves that follow each other or spills, and limits that they meet exactly.

#include "spill_shell.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr spill_config small_files{.max_file_bytes = 80, .batch_bytes = 40, .max_writes = 1};

/// One closed file of eight records of ten bytes, and an open one with record 9.
struct nine_records : spill_shell {
  explicit nine_records(spill_config config = small_files) : spill_shell(config) {
    for (std::uint64_t number = 1; number <= 9; ++number)
      store(number, 10);
  }
};

void free_all(spill_shell& shell, std::uint64_t first, std::uint64_t last) {
  for (auto number = first; number <= last; ++number)
    shell.free(number);
}

} // namespace

// -- rounds -----------------------------------------------------------------------

TEST_CASE("a file is rewritten by one move at a time") {
  auto config = small_files;
  config.max_writes = 3;
  nine_records shell{config};
  free_all(shell, 3, 8);
  CHECK(shell.moves.size() == 1);
  shell.free(2);
  CHECK(shell.moves.size() == 1);
}

TEST_CASE("a spill goes between two moves of one file") {
  spill_shell shell{{.max_file_bytes = 160, .batch_bytes = 20, .max_writes = 1}};
  for (std::uint64_t number = 1; number <= 17; ++number)
    shell.store(number, 10);
  free_all(shell, 5, 16);
  REQUIRE(shell.moves.size() == 1);
  shell.spill(18, 10);
  shell.finish_move();
  CHECK(shell.moves.empty());
  CHECK(shell.writes.size() == 1);
  shell.finish_write();
  CHECK(shell.moves.size() == 1);
}

TEST_CASE("moves take turns with their directories") {
  spill_shell shell{{.directories = 2, .max_file_bytes = 160, .batch_bytes = 20, .max_writes = 1}};
  for (std::uint64_t number = 1; number <= 33; ++number)
    shell.store(number, 10);
  auto first = shell.locations.at(1).file;
  for (std::uint64_t number = 9; number <= 31; number += 2) {
    REQUIRE(shell.locations.at(number).file == first);
    shell.free(number);
  }
  auto before = shell.moves.front().directory;
  shell.finish_move();
  CHECK(shell.moves.front().directory != before);
}

TEST_CASE("a record that was written anew in its file is moved once") {
  spill_shell shell{small_files};
  for (std::uint64_t number = 1; number <= 4; ++number)
    shell.store(number, 10);
  auto first = shell.locations.at(1).file;
  shell.free(1);
  for (std::uint64_t number : {1, 5, 6, 7, 8})
    shell.store(number, 10);
  REQUIRE(shell.locations.at(1).file == first);
  free_all(shell, 2, 6);
  REQUIRE(shell.moves.size() == 1);
  CHECK(shell.moves.front().records
        == std::vector<moving_record>{{object_number(1), 40, 10}, {object_number(7), 70, 10}});
}

TEST_CASE("a move that ended does not keep a directory from its probation") {
  nine_records shell;
  free_all(shell, 3, 8);
  shell.finish_move();
  shell.spill(10, 10);
  shell.fail_write();
  shell.retry();
  shell.spill(11, 10);
  CHECK(shell.writes.size() == 1);
}

TEST_CASE("a file whose move failed takes no more records") {
  nine_records shell;
  free_all(shell, 3, 8);
  auto target = shell.moves.front().file;
  shell.end_move(0, {record_move::moved}, spill_error::io_error);
  shell.retry();
  shell.spill(10, 10);
  REQUIRE(shell.writes.size() == 1);
  CHECK(shell.writes.front().file != target);
}

// -- limits -----------------------------------------------------------------------

TEST_CASE("a move may fill its file to the last byte") {
  nine_records shell;
  for (std::uint64_t number = 10; number <= 14; ++number)
    shell.store(number, 10);
  free_all(shell, 3, 8);
  CHECK(shell.moves.front().records.size() == 2);
}

TEST_CASE("a move has as many records as a batch at most") {
  auto config = small_files;
  config.max_batch_records = 1;
  nine_records shell{config};
  free_all(shell, 3, 8);
  CHECK(shell.moves.front().records.size() == 1);
}

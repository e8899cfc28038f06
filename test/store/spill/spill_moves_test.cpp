// How mostly dead files are rewritten, with everything that may come between.

#include "spill_shell.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr spill_config small_files{.max_file_bytes = 80, .batch_bytes = 40, .max_writes = 1};

/// One closed file of eight records of ten bytes, and an open one with record 9.
struct two_files {
  explicit two_files(spill_config config = small_files) : shell(config) {
    for (std::uint64_t number = 1; number <= 9; ++number)
      shell.store(number, 10);
    first = shell.locations.at(1).file;
  }

  /// Frees those from `number` to the last of the first file.
  void free_from(std::uint64_t number) {
    for (; number <= 8; ++number)
      shell.free(number);
  }

  spill_shell shell;
  spill_file_id first{};
};

} // namespace

TEST_CASE_FIXTURE(two_files, "a closed file is rewritten when three of four bytes are dead") {
  free_from(4);
  CHECK(shell.moves.empty());
  shell.free(3);
  REQUIRE(shell.moves.size() == 1);
  const auto& move = shell.moves.front();
  CHECK(move.from_file == first);
  CHECK(move.file == shell.locations.at(9).file);
  CHECK(move.offset_bytes == 10);
  CHECK(move.records
        == std::vector<moving_record>{{object_number(1), 0, 10}, {object_number(2), 10, 10}});
}

TEST_CASE_FIXTURE(two_files, "a rewritten file goes, and its records are read where they are now") {
  free_from(3);
  shell.finish_move();
  CHECK(shell.deletions.front().file == first);
  shell.finish_delete();
  CHECK(shell.table.stats().dead_bytes == 0);
  shell.restore(2);
  CHECK(shell.reads.front().location.file != first);
  CHECK(shell.reads.front().location.offset_bytes == 20);
  shell.finish_read();
  CHECK(shell.restored.at(2) == 1);
}

TEST_CASE_FIXTURE(two_files, "the figures of a move add up") {
  free_from(3);
  CHECK(shell.table.stats().spilling_bytes == 0);
  shell.finish_move();
  auto stats = shell.table.stats();
  CHECK(stats.moved_objects == 2);
  CHECK(stats.moved_bytes == 20);
  CHECK(stats.written_objects == 9);
  CHECK(stats.live_bytes == 30);
  CHECK(stats.dead_bytes == 80);
}

TEST_CASE("a file that still takes records is not rewritten") {
  spill_shell shell{small_files};
  for (std::uint64_t number = 1; number <= 4; ++number)
    shell.store(number, 10);
  for (std::uint64_t number = 1; number <= 3; ++number)
    shell.free(number);
  CHECK(shell.moves.empty());
}

TEST_CASE("a mostly dead file is rewritten once it takes no more records") {
  spill_shell shell{small_files};
  for (std::uint64_t number = 1; number <= 4; ++number)
    shell.store(number, 10);
  for (std::uint64_t number = 1; number <= 3; ++number)
    shell.free(number);
  shell.spill(5, 50);
  shell.finish_write();
  REQUIRE(shell.moves.size() == 1);
  CHECK(shell.moves.front().from_file == shell.locations.at(4).file);
}

TEST_CASE("files are never rewritten when that is switched off") {
  auto config = small_files;
  config.dead_for_each_live = 0;
  two_files files{config};
  files.free_from(2);
  CHECK(files.shell.moves.empty());
}

TEST_CASE("a rewriting is cut into moves of a batch's size") {
  spill_shell shell{{.max_file_bytes = 160, .batch_bytes = 20, .max_writes = 1}};
  for (std::uint64_t number = 1; number <= 17; ++number)
    shell.store(number, 10);
  for (std::uint64_t number = 5; number <= 16; ++number)
    shell.free(number);
  CHECK(shell.moves.front().records.size() == 2);
  shell.finish_move();
  CHECK(shell.moves.front().records.size() == 2);
  shell.finish_move();
  CHECK(shell.moves.empty());
  CHECK(shell.deletions.size() == 1);
}

TEST_CASE_FIXTURE(two_files, "moves and spills take turns") {
  shell.spill(10, 10);
  free_from(2);
  shell.spill(11, 10);
  CHECK(shell.moves.empty());
  shell.finish_write();
  CHECK(shell.moves.size() == 1);
  CHECK(shell.writes.empty());
  shell.spill(12, 10);
  shell.finish_move();
  CHECK(shell.batch_sizes() == std::vector<std::size_t>{2});
}

// -- frees and restores in between ------------------------------------------------

TEST_CASE_FIXTURE(two_files, "what is freed while it is moved is dead where it arrives") {
  free_from(3);
  shell.free(2);
  shell.finish_move();
  auto stats = shell.table.stats();
  CHECK(stats.moved_objects == 2);
  CHECK(stats.live_bytes == 20);
  CHECK(stats.dead_bytes == 90);
  CHECK_FALSE(shell.table.contains(object_number(2)));
}

TEST_CASE_FIXTURE(two_files, "a file whose last record dies during its move goes at once") {
  free_from(3);
  shell.free(1);
  shell.free(2);
  CHECK(shell.deletions.front().file == first);
  shell.finish_delete();
  shell.finish_move();
  CHECK(shell.table.stats().live_bytes == 10);
  CHECK(shell.table.stats().files == 1);
}

TEST_CASE_FIXTURE(two_files,
                  "an object freed and spilled anew during a move keeps its new record") {
  free_from(3);
  shell.free(2);
  shell.spill(2, 7);
  shell.finish_move();
  shell.finish_write();
  CHECK(shell.locations.at(2).record_bytes == 7);
  shell.restore(2);
  CHECK(shell.reads.front().location == shell.locations.at(2));
}

TEST_CASE_FIXTURE(two_files, "a restore during a move reads from the old place") {
  free_from(3);
  shell.restore(1);
  CHECK(shell.reads.front().location.file == first);
  shell.finish_move();
  CHECK(shell.deletions.size() == 1);
  shell.finish_read();
  CHECK(shell.restored.at(1) == 1);
}

TEST_CASE_FIXTURE(two_files, "a read whose file goes after a move is done again at the new place") {
  free_from(3);
  shell.restore(1);
  shell.finish_move();
  shell.finish_delete();
  shell.fail_read(restore_error::record_lost);
  CHECK(shell.restore_failures.empty());
  CHECK(shell.reads.front().location.file != first);
  shell.finish_read();
  CHECK(shell.restored.at(1) == 1);
}

TEST_CASE_FIXTURE(two_files, "what was moved during an earlier read can be lost in the next") {
  free_from(3);
  shell.restore(1);
  shell.finish_move();
  shell.finish_read();
  shell.restore(1);
  shell.fail_read(restore_error::record_lost);
  CHECK(shell.restore_failures.at(1) == restore_error::record_lost);
  CHECK(shell.reads.empty());
}

TEST_CASE("records with a gap between them are not read at once") {
  auto config = small_files;
  config.max_reads = 1;
  two_files files{config};
  auto& shell = files.shell;
  shell.free(2);
  files.free_from(4);
  shell.restore(9);
  // The move that began has forgotten what lay between 1 and 3.
  REQUIRE(shell.moves.size() == 1);
  shell.restore(1);
  shell.restore(3);
  while (!shell.reads.empty())
    shell.finish_read();
  CHECK(shell.read_sizes == std::vector<std::size_t>{1, 1, 1});
}

TEST_CASE_FIXTURE(two_files, "an object freed during its read and its move is canceled") {
  free_from(3);
  shell.restore(1);
  shell.free(1);
  shell.finish_move();
  shell.finish_read();
  CHECK(shell.restore_failures.at(1) == restore_error::canceled);
  CHECK(shell.table.stats().live_bytes == 20);
}

TEST_CASE_FIXTURE(two_files, "shutting down during a move ends when the move has ended") {
  free_from(3);
  shell.shut_down();
  while (!shell.deletions.empty())
    shell.finish_delete();
  CHECK_FALSE(shell.drained);
  shell.finish_move();
  shell.finish_delete();
  CHECK(shell.drained);
}

TEST_CASE_FIXTURE(two_files, "shutting down moves nothing that is about to be freed") {
  shell.shut_down();
  CHECK(shell.moves.empty());
  shell.finish_delete();
  shell.finish_delete();
  CHECK(shell.drained);
}

// -- failures ---------------------------------------------------------------------

TEST_CASE_FIXTURE(two_files, "a record that cannot be read stays, and its neighbours move") {
  free_from(3);
  shell.end_move(0, {record_move::unreadable, record_move::moved}, std::nullopt);
  CHECK(shell.deletions.empty());
  CHECK(shell.table.stats().unreadable_moves == 1);
  shell.restore(1);
  CHECK(shell.reads.front().location.file == first);
  shell.fail_read(restore_error::record_lost);
  CHECK(shell.restore_failures.at(1) == restore_error::record_lost);
  CHECK(shell.deletions.front().file == first);
  shell.restore(2);
  shell.finish_read();
  CHECK(shell.restored.at(2) == 1);
}

TEST_CASE_FIXTURE(two_files,
                  "a record that could not be read is not tried again without a reason") {
  free_from(3);
  shell.end_move(0, {record_move::unreadable, record_move::unreadable}, std::nullopt);
  CHECK(shell.moves.empty());
  shell.free(2);
  CHECK(shell.moves.size() == 1);
  shell.end_move(0, {record_move::unreadable}, std::nullopt);
  CHECK(shell.moves.empty());
  shell.retry();
  CHECK(shell.moves.size() == 1);
}

TEST_CASE("a move whose writing fails goes on in another directory") {
  auto config = small_files;
  config.directories = 2;
  spill_shell shell{config};
  for (std::uint64_t number = 1; number <= 18; ++number)
    shell.store(number, 10);
  auto first = shell.locations.at(1).file;
  std::erase_if(shell.locations, [&](const auto& each) { return each.second.file != first; });
  auto keep = shell.locations.begin()->first;
  auto next = std::next(shell.locations.begin())->first;
  for (auto [number, location] : std::map{shell.locations})
    if (number != keep && number != next)
      shell.free(number);
  auto failing = shell.moves.front().directory;
  shell.end_move(0, {record_move::moved}, spill_error::out_of_disk);
  CHECK(shell.set_aside == std::vector{failing});
  REQUIRE(shell.moves.size() == 1);
  CHECK(shell.moves.front().directory != failing);
  CHECK(shell.moves.front().records.front().id == object_number(next));
  shell.finish_move();
  CHECK(shell.deletions.front().file == first);
}

TEST_CASE_FIXTURE(two_files, "a directory that failed takes a spill before it takes a move") {
  shell.spill(10, 10);
  shell.fail_write();
  free_from(2);
  CHECK(shell.moves.empty());
  shell.retry();
  CHECK(shell.moves.empty());
  shell.spill(11, 10);
  shell.finish_write();
  CHECK(shell.moves.size() == 1);
}

TEST_CASE_FIXTURE(two_files, "a deletion that failed during a move waits for the retry") {
  free_from(3);
  shell.free(1);
  shell.free(2);
  shell.fail_delete();
  shell.finish_move();
  CHECK(shell.deletions.empty());
  shell.retry();
  CHECK(shell.deletions.front().file == first);
}

// -- the spill limit --------------------------------------------------------------

TEST_CASE("a move is skipped while the limit has no space for it") {
  auto config = small_files;
  config.spill_limit_bytes = 100;
  two_files files{config};
  files.free_from(3);
  CHECK(files.shell.moves.empty());
  files.shell.free(2);
  CHECK(files.shell.moves.size() == 1);
}

TEST_CASE("a spill beyond the limit waits for a move that makes space") {
  auto config = small_files;
  config.spill_limit_bytes = 110;
  two_files files{config};
  auto& shell = files.shell;
  files.free_from(3);
  shell.spill(10, 30);
  CHECK(shell.writes.empty());
  CHECK(shell.spill_failures.empty());
  shell.finish_move();
  shell.finish_delete();
  shell.finish_write();
  CHECK(shell.spilled.contains(10));
}

TEST_CASE("a spill at the limit waits for a move under way") {
  auto config = small_files;
  config.max_writes = 2;
  config.spill_limit_bytes = 110;
  two_files files{config};
  auto& shell = files.shell;
  files.free_from(3);
  REQUIRE(shell.moves.size() == 1);
  shell.spill(10, 10);
  CHECK(shell.writes.empty());
  CHECK(shell.spill_failures.empty());
  shell.finish_move();
  shell.finish_delete();
  shell.finish_write();
  CHECK(shell.spilled.contains(10));
}

TEST_CASE("a spill beyond the limit waits for the rest of a rewriting") {
  spill_shell shell{
    {.max_file_bytes = 160, .batch_bytes = 20, .max_writes = 1, .spill_limit_bytes = 210}};
  for (std::uint64_t number = 1; number <= 17; ++number)
    shell.store(number, 10);
  for (std::uint64_t number = 5; number <= 16; ++number)
    shell.free(number);
  REQUIRE(shell.moves.size() == 1);
  shell.spill(18, 30);
  shell.finish_move();
  CHECK(shell.spill_failures.empty());
  REQUIRE(shell.moves.size() == 1);
  shell.finish_move();
  shell.finish_delete();
  CHECK(shell.batch_sizes() == std::vector<std::size_t>{1});
}

// What is written where, and deleted: Ray's local object manager tests, against our
// rules.

#include "spill_shell.hpp"

using namespace mobula;
using namespace mobula::test;

TEST_CASE("a spilled object is on disk when its write has ended") {
  spill_shell shell;
  shell.spill(1, 10);
  CHECK(shell.table.stats().spilling_bytes == 10);
  CHECK_FALSE(shell.spilled.contains(1));
  shell.finish_write();
  CHECK(shell.spilled.contains(1));
  CHECK(shell.table.stats().live_bytes == 10);
}

TEST_CASE("a single object is written at once, however small") {
  spill_shell shell;
  shell.spill(1, 1);
  CHECK(shell.batch_sizes() == std::vector<std::size_t>{1});
}

TEST_CASE("an object is spilled once, and a later request is confirmed") {
  spill_shell shell;
  shell.spill(1, 10);
  shell.spill(1, 10);
  CHECK(shell.batch_sizes() == std::vector<std::size_t>{1});
  shell.finish_write();
  shell.spilled.clear();
  shell.spill(1, 10);
  CHECK(shell.writes.empty());
  CHECK(shell.spilled.contains(1));
}

TEST_CASE("an object that is asked for again is not confirmed before it is written") {
  spill_shell shell{{.max_writes = 1}};
  shell.spill(1, 10);
  shell.spill(2, 10);
  shell.spill(1, 10);
  shell.spill(2, 10);
  CHECK(shell.spilled.empty());
  CHECK(shell.table.stats().pinned_bytes == 10);
  shell.finish_all_writes();
  CHECK(shell.spilled == std::set<std::uint64_t>{1, 2});
}

TEST_CASE("objects that wait count until they are written") {
  spill_shell shell{{.max_writes = 1}};
  shell.spill(1, 10);
  shell.spill(2, 20);
  auto stats = shell.table.stats();
  CHECK(stats.pinned_bytes == 20);
  CHECK(stats.spilling_bytes == 10);
}

// -- batches and files ------------------------------------------------------------

TEST_CASE("a small batch waits for more while another write is under way") {
  spill_shell shell{{.batch_bytes = 100, .max_writes = 2}};
  shell.spill(1, 10);
  shell.spill(2, 10);
  shell.spill(3, 10);
  CHECK(shell.batch_sizes() == std::vector<std::size_t>{1});
  shell.finish_write();
  CHECK(shell.batch_sizes() == std::vector<std::size_t>{2});
}

TEST_CASE("a full batch does not wait") {
  spill_shell shell{{.batch_bytes = 100, .max_writes = 2}};
  shell.spill(1, 10);
  shell.spill(2, 50);
  shell.spill(3, 50);
  CHECK(shell.batch_sizes() == std::vector<std::size_t>{1, 2});
}

TEST_CASE("a batch of as many records as it may have does not wait") {
  spill_shell shell{{.max_batch_records = 2, .max_writes = 2}};
  for (std::uint64_t number = 1; number <= 3; ++number)
    shell.spill(number, 10);
  CHECK(shell.batch_sizes() == std::vector<std::size_t>{1, 2});
}

TEST_CASE("a batch may fill its file to the last byte") {
  spill_shell shell{{.max_file_bytes = 30, .max_writes = 1}};
  for (std::uint64_t number = 1; number <= 3; ++number)
    shell.spill(number, 10);
  shell.finish_write();
  CHECK(shell.batch_sizes() == std::vector<std::size_t>{2});
}

TEST_CASE("a second file is filled up before there is a third") {
  spill_shell shell{{.batch_bytes = 10, .max_writes = 2}};
  shell.spill(1, 10);
  shell.spill(2, 10);
  REQUIRE(shell.table.stats().files == 2);
  shell.finish_write(1);
  shell.spill(3, 10);
  CHECK(shell.table.stats().files == 2);
  CHECK(shell.writes.back().file == shell.locations.at(2).file);
}

TEST_CASE("a batch has a bounded number of records") {
  spill_shell shell{{.max_batch_records = 3, .max_writes = 1}};
  for (std::uint64_t number = 1; number <= 8; ++number)
    shell.spill(number, 1);
  std::vector<std::size_t> batches;
  while (!shell.writes.empty()) {
    batches.push_back(shell.writes.front().records.size());
    shell.finish_write();
  }
  CHECK(batches == std::vector<std::size_t>{1, 3, 3, 1});
}

TEST_CASE("writes are bounded, and full ones use all of them") {
  spill_shell shell{{.batch_bytes = 10, .max_writes = 3}};
  for (std::uint64_t number = 1; number <= 10; ++number)
    shell.spill(number, 10);
  CHECK(shell.writes.size() == 3);
  shell.finish_write(1);
  CHECK(shell.writes.size() == 3);
}

TEST_CASE("forty objects of ten bytes fill files of sixty as 6, 6, 6, 6, 6, 6, 4") {
  spill_shell shell{{.max_file_bytes = 60, .batch_bytes = 60, .max_writes = 1}};
  for (std::uint64_t number = 1; number <= 40; ++number)
    shell.spill(number, 10);
  shell.finish_all_writes();
  std::map<spill_file_id, int> records;
  for (const auto& [number, location] : shell.locations)
    ++records[location.file];
  std::vector<int> counts;
  for (const auto& [file, count] : records)
    counts.push_back(count);
  CHECK(counts == std::vector<int>{6, 6, 6, 6, 6, 6, 4});
}

TEST_CASE("an oversized object gets a file of its own") {
  spill_shell shell{{.max_file_bytes = 60, .batch_bytes = 60, .max_writes = 1}};
  shell.spill(1, 10);
  shell.spill(2, 100);
  shell.spill(3, 10);
  shell.finish_all_writes();
  CHECK(shell.locations.at(2).offset_bytes == 0);
  CHECK(shell.locations.at(3).file != shell.locations.at(2).file);
  CHECK(shell.locations.at(1).file != shell.locations.at(2).file);
}

TEST_CASE("directories take turns") {
  spill_shell shell{{.directories = 3, .max_file_bytes = 10, .batch_bytes = 10, .max_writes = 1}};
  for (std::uint64_t number = 1; number <= 6; ++number)
    shell.store(number, 10);
  std::vector<spill_directory> order;
  for (const auto& [number, location] : shell.locations)
    order.push_back(location.directory);
  auto directory = [](std::uint32_t index) {
    return spill_directory{index};
  };
  CHECK(order
        == std::vector{directory(0), directory(1), directory(2), directory(0), directory(1),
                       directory(2)});
}

// -- frees ------------------------------------------------------------------------

TEST_CASE("freeing an object that was never spilled changes nothing") {
  spill_shell shell;
  shell.free(1);
  CHECK(shell.deletions.empty());
}

TEST_CASE("an object freed before its write is canceled") {
  spill_shell shell{{.max_writes = 1}};
  shell.spill(1, 10);
  shell.spill(2, 10);
  shell.free(2);
  CHECK(shell.spill_failures.at(2) == spill_error::canceled);
  CHECK_FALSE(shell.table.contains(object_number(2)));
}

TEST_CASE("an object freed during its write is answered when the write ends") {
  spill_shell shell;
  shell.spill(1, 10);
  shell.free(1);
  CHECK(shell.spill_failures.empty());
  shell.finish_write();
  CHECK(shell.spill_failures.at(1) == spill_error::canceled);
  CHECK(shell.deletions.size() == 1);
}

TEST_CASE("a freed record is dead at once, its file goes with the last one") {
  spill_shell shell{{.max_writes = 1}};
  shell.store(1, 10);
  shell.store(2, 20);
  shell.free(1);
  CHECK(shell.table.stats().live_bytes == 20);
  CHECK(shell.table.stats().dead_bytes == 10);
  CHECK(shell.deletions.empty());
  shell.free(2);
  CHECK(shell.deletions.size() == 1);
  shell.finish_delete();
  CHECK(shell.table.stats().files == 0);
  CHECK(shell.table.stats().dead_bytes == 0);
}

TEST_CASE("a file whose records are all dead stays while it is written to") {
  spill_shell shell{{.max_writes = 1}};
  shell.store(1, 10);
  shell.spill(2, 10);
  shell.free(1);
  CHECK(shell.deletions.empty());
  shell.finish_write();
  CHECK(shell.deletions.empty());
  shell.free(2);
  CHECK(shell.deletions.size() == 1);
}

TEST_CASE("deletions do not wait for a slow write of another file") {
  spill_shell shell{{.max_file_bytes = 10, .batch_bytes = 10, .max_writes = 1}};
  shell.store(1, 10);
  shell.store(2, 10);
  shell.spill(3, 10);
  shell.free(1);
  shell.free(2);
  CHECK(shell.writes.size() == 1);
  CHECK(shell.deletions.size() == 2);
}

TEST_CASE("many deletions run at once") {
  spill_shell shell{{.max_file_bytes = 10, .batch_bytes = 10, .max_writes = 1}};
  for (std::uint64_t number = 1; number <= 100; ++number)
    shell.store(number, 10);
  for (std::uint64_t number = 1; number <= 100; ++number)
    shell.free(number);
  CHECK(shell.deletions.size() == 100);
}

TEST_CASE("a deletion that fails is tried again") {
  spill_shell shell;
  shell.store(1, 10);
  shell.free(1);
  shell.fail_delete();
  CHECK(shell.table.stats().dead_bytes == 10);
  shell.retry();
  shell.finish_delete();
  CHECK(shell.table.stats().files == 0);
}

// -- the end ----------------------------------------------------------------------

TEST_CASE("shutting down frees everything and ends when the disk is done") {
  spill_shell shell{{.max_writes = 1}};
  shell.store(1, 10);
  shell.spill(2, 10);
  shell.spill(3, 10);
  shell.restore(1);
  shell.shut_down();
  CHECK(shell.spill_failures.at(3) == spill_error::canceled);
  shell.finish_write();
  shell.finish_read();
  CHECK_FALSE(shell.drained);
  shell.finish_delete();
  CHECK(shell.drained);
  shell.spill(4, 10);
  CHECK(shell.spill_failures.at(4) == spill_error::canceled);
}

TEST_CASE("shutting down goes on trying to delete files until they are abandoned") {
  spill_shell shell;
  shell.store(1, 10);
  shell.shut_down();
  shell.fail_delete();
  shell.retry();
  shell.fail_delete();
  CHECK_FALSE(shell.drained);
  shell.abandon_files();
  CHECK(shell.drained);
  CHECK(shell.table.stats().files == 0);
}

TEST_CASE("only files that could not be deleted are abandoned") {
  spill_shell shell{{.max_file_bytes = 10}};
  shell.store(1, 10);
  shell.store(2, 10);
  shell.shut_down();
  shell.fail_delete();
  shell.abandon_files();
  CHECK_FALSE(shell.drained);
  shell.finish_delete();
  CHECK(shell.drained);
}

TEST_CASE("what cannot be deleted after others were abandoned is abandoned, too") {
  spill_shell shell{{.max_file_bytes = 10}};
  shell.store(1, 10);
  shell.store(2, 10);
  shell.shut_down();
  shell.fail_delete();
  shell.abandon_files();
  shell.fail_delete();
  CHECK(shell.drained);
}

TEST_CASE("the figures of what happened add up") {
  spill_shell shell{{.max_writes = 1}};
  shell.store(1, 10);
  shell.store(2, 20);
  shell.restore(2);
  shell.finish_read();
  shell.free(1);
  auto stats = shell.table.stats();
  CHECK(stats.written_objects == 2);
  CHECK(stats.written_bytes == 30);
  CHECK(stats.restored_objects == 1);
  CHECK(stats.restored_bytes == 20);
  CHECK(stats.spilled_objects == 1);
  CHECK(stats.files == 1);
}

TEST_CASE("what is canceled has not failed") {
  spill_shell shell{{.max_writes = 1, .max_reads = 1}};
  shell.store(1, 10);
  shell.store(2, 10);
  shell.spill(3, 10);
  shell.spill(4, 10);
  shell.restore(1);
  shell.restore(2);
  for (std::uint64_t number = 1; number <= 4; ++number)
    shell.free(number);
  shell.finish_read();
  shell.finish_write();
  CHECK(shell.spill_failures.size() == 2);
  CHECK(shell.restore_failures.size() == 2);
  auto stats = shell.table.stats();
  CHECK(stats.spill_failures == 0);
  CHECK(stats.restore_failures == 0);
  while (!shell.deletions.empty())
    shell.finish_delete();
  CHECK(shell.spilling_possible == 0);
}

TEST_CASE("what failed counts once") {
  spill_shell shell{{.max_read_attempts = 2}};
  shell.store(1, 10);
  shell.store(2, 10);
  for (std::uint64_t number : {1, 1, 2})
    shell.restore(number);
  shell.fail_read(restore_error::io_error);
  shell.fail_read(restore_error::record_lost);
  shell.fail_read(restore_error::io_error);
  CHECK(shell.table.stats().restore_failures == 2);
  shell.spill(3, 10);
  shell.fail_write();
  CHECK(shell.table.stats().spill_failures == 1);
  CHECK(shell.table.stats().write_errors == 1);
}

// -- many -------------------------------------------------------------------------

TEST_CASE("any of many objects that wait to be written can be freed") {
  spill_table table{{.max_writes = 1}};
  spill_effects effects;
  constexpr std::uint64_t count = 100'000;
  for (std::uint64_t number = 0; number <= count; ++number)
    table.spill(object_number(number + 1), 100'000'000, effects);
  effects.clear();
  for (std::uint64_t number = count; number > 0; --number)
    table.free(object_number(number + 1), effects);
  CHECK(effects.size() == count);
  CHECK(table.stats().pinned_objects == 0);
  CHECK(table.stats().pinned_bytes == 0);
  table.check_invariants();
}

TEST_CASE("there is something to try again while a directory is set aside") {
  spill_shell shell;
  CHECK(!shell.table.awaits_retry());
  shell.spill(1, 10);
  shell.fail_write();
  CHECK(shell.table.awaits_retry());
  shell.retry();
  CHECK(!shell.table.awaits_retry());
}

TEST_CASE("there is something to try again while a deletion has failed") {
  spill_shell shell;
  shell.store(1, 10);
  shell.free(1);
  shell.fail_delete();
  CHECK(shell.table.awaits_retry());
  shell.retry();
  CHECK(!shell.table.awaits_retry());
}

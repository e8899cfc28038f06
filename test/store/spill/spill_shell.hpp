#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "../numbered_ids.hpp"
#include "../overloaded.hpp"
#include "mobula/store/spill/spill_table.hpp"

namespace mobula::test {

/// Carries out a spill table's effects on imaginary files. Every event checks the table's
/// invariants, every effect what a disk may expect: no two writes to a file, appends only at the
/// end, deletions only of files that nobody writes.
class spill_shell {
public:
  explicit spill_shell(spill_config config = {}) : table(config) {
  }

  // -- shards -----------------------------------------------------------------

  void spill(std::uint64_t number, std::uint64_t bytes) {
    freed.erase(number);
    event([&](auto& out) { table.spill(object_number(number), bytes, out); });
  }

  void restore(std::uint64_t number) {
    event([&](auto& out) { table.restore(object_number(number), out); });
  }

  void free(std::uint64_t number) {
    freed.insert(number);
    event([&](auto& out) { table.free(object_number(number), out); });
  }

  /// Spills and writes one object in a batch of its own.
  void store(std::uint64_t number, std::uint64_t bytes) {
    spill(number, bytes);
    finish_write();
    REQUIRE(spilled.contains(number));
  }

  // -- the disk ---------------------------------------------------------------

  void finish_write(std::size_t index = 0) {
    auto count = writes.at(index).records.size();
    end_write(index, count, std::nullopt);
  }

  void fail_write(std::size_t written = 0, spill_error error = spill_error::io_error,
                  std::size_t index = 0) {
    end_write(index, written, error);
  }

  void finish_all_writes() {
    while (!writes.empty())
      finish_write();
  }

  void finish_move(std::size_t index = 0) {
    std::vector<record_move> all(moves.at(index).records.size(), record_move::moved);
    end_move(index, all, std::nullopt);
  }

  /// Ends a move with an end for each record, or for a prefix of them and an error.
  void end_move(std::size_t index, const std::vector<record_move>& ends,
                std::optional<spill_error> error) {
    auto move = take(moves, index);
    auto offset = move.offset_bytes;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      const auto& record = move.records[i];
      if (ends[i] == record_move::moved)
        offset += copy_record(move, record, offset);
    }
    sizes[move.file] = offset;
    event([&](auto& out) { table.records_moved(move.batch, {ends, error}, out); });
  }

  void finish_read(std::size_t index = 0) {
    auto read = take(reads, index);
    auto id = read.id;
    // A file that was deleted meanwhile was open already.
    if (contents.contains(read.location.file))
      REQUIRE(contents.at(read.location.file).at(read.location.offset_bytes) == id);
    event([&](auto& out) { table.read_finished(id, out); });
  }

  void fail_read(restore_error error, std::size_t index = 0) {
    auto id = take(reads, index).id;
    event([&](auto& out) { table.read_failed(id, error, out); });
  }

  void finish_delete(std::size_t index = 0) {
    auto file = take(deletions, index).file;
    sizes.erase(file);
    contents.erase(file);
    event([&](auto& out) { table.file_deleted(file, out); });
  }

  void fail_delete(std::size_t index = 0) {
    auto file = take(deletions, index).file;
    event([&](auto& out) { table.delete_failed(file, out); });
  }

  void retry() {
    event([&](auto& out) { table.retry_directories(out); });
  }

  void shut_down() {
    event([&](auto& out) { table.shut_down(out); });
  }

  void abandon_files() {
    event([&](auto& out) { table.abandon_files(out); });
  }

  template <class Event>
  void event(Event run) {
    spill_effects effects;
    run(effects);
    table.check_invariants();
    for (const auto& effect : effects)
      carry_out(effect);
  }

  /// Returns how many records each write under way has.
  std::vector<std::size_t> batch_sizes() const {
    std::vector<std::size_t> result;
    for (const auto& write : writes)
      result.push_back(write.records.size());
    return result;
  }

  spill_table table;
  std::deque<write_batch> writes;
  std::deque<move_records> moves;
  std::deque<record_to_read> reads;    ///< all records of all reads under way
  std::vector<std::size_t> read_sizes; ///< records of each read ever started
  std::deque<delete_file> deletions;
  std::map<spill_file_id, std::uint64_t> sizes;                         ///< of files that exist
  std::map<spill_file_id, std::map<std::uint64_t, object_id>> contents; ///< by offset
  std::map<std::uint64_t, spill_location> locations;
  std::set<std::uint64_t> freed;
  std::set<std::uint64_t> spilled;
  std::map<std::uint64_t, spill_error> spill_failures;
  std::map<std::uint64_t, int> restored;
  std::map<std::uint64_t, restore_error> restore_failures;
  std::vector<spill_directory> set_aside;
  std::vector<spill_directory> recovered;
  std::size_t spilling_possible = 0;
  spill_round round{};
  std::size_t dead_on_arrival = 0; ///< records freed while they were moved
  std::size_t overtaken_reads = 0; ///< reads during which the record was moved
  bool drained = false;

private:
  template <class Element>
  static Element take(std::deque<Element>& elements, std::size_t index) {
    auto element = elements.at(index);
    elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(index));
    return element;
  }

  void end_write(std::size_t index, std::size_t written, std::optional<spill_error> error) {
    auto write = take(writes, index);
    auto offset = write.offset_bytes;
    for (std::size_t i = 0; i < written; ++i) {
      const auto& record = write.records[i];
      locations[record.id.sequence] = {write.file, write.directory, offset, record.record_bytes};
      contents[write.file][offset] = record.id;
      offset += record.record_bytes;
    }
    sizes[write.file] = offset;
    event([&](auto& out) { table.batch_written(write.batch, {written, error}, out); });
  }

  void carry_out(const spill_effect& effect) {
    std::visit(
      overloaded{
        [&](const write_batch& write) { start_write(write); },
        [&](const move_records& move) { start_move(move); },
        [&](const read_records& read) { start_read(read); },
        [&](const delete_file& deletion) {
          for (const auto& write : writes)
            REQUIRE(write.file != deletion.file);
          for (const auto& move : moves)
            REQUIRE(move.file != deletion.file);
          deletions.push_back(deletion);
        },
        [&](const report_spilled& report) {
          spill_failures.erase(report.id.sequence);
          spilled.insert(report.id.sequence);
        },
        [&](const report_spill_failed& report) {
          spill_failures.insert_or_assign(report.id.sequence, report.error);
          REQUIRE(report.round == round);
        },
        [&](const report_restored& report) { ++restored[report.id.sequence]; },
        [&](const report_restore_failed& report) {
          restore_failures.insert_or_assign(report.id.sequence, report.error);
        },
        [&](const report_directory_set_aside& report) { set_aside.push_back(report.directory); },
        [&](const report_directory_recovered& report) { recovered.push_back(report.directory); },
        [&](const report_spilling_possible& report) {
          ++spilling_possible;
          REQUIRE(report.round > round);
          round = report.round;
        },
        [&](const report_spill_drained&) {
          REQUIRE_FALSE(drained);
          drained = true;
        },
      },
      effect);
  }

  void start_write(const write_batch& write) {
    REQUIRE_FALSE(write.records.empty());
    check_target(write.file, write.offset_bytes);
    writes.push_back(write);
  }

  void start_read(const read_records& read) {
    REQUIRE_FALSE(read.records.empty());
    read_sizes.push_back(read.records.size());
    auto offset = read.records.front().location.offset_bytes;
    for (const auto& record : read.records) {
      REQUIRE(locations.at(record.id.sequence) == record.location);
      REQUIRE(record.location.file == read.file);
      REQUIRE(record.location.directory == read.directory);
      REQUIRE(record.location.offset_bytes == offset);
      offset += record.location.record_bytes;
      reads.push_back(record);
    }
  }

  void start_move(const move_records& move) {
    REQUIRE_FALSE(move.records.empty());
    REQUIRE(move.file != move.from_file);
    check_target(move.file, move.offset_bytes);
    for (const auto& other : deletions)
      REQUIRE(other.file != move.from_file);
    for (const auto& record : move.records)
      REQUIRE(contents.at(move.from_file).at(record.offset_bytes) == record.id);
    moves.push_back(move);
  }

  void check_target(spill_file_id file, std::uint64_t offset) {
    for (const auto& other : writes)
      REQUIRE(other.file != file);
    for (const auto& other : moves)
      REQUIRE(other.file != file);
    for (const auto& other : deletions)
      REQUIRE(other.file != file);
    auto size = sizes.find(file);
    REQUIRE(offset == (size == sizes.end() ? 0 : size->second));
  }

  /// Returns the bytes written.
  std::uint64_t copy_record(const move_records& move, const moving_record& record,
                            std::uint64_t offset) {
    contents[move.file][offset] = record.id;
    auto& known = locations.at(record.id.sequence);
    auto same = known.file == move.from_file && known.offset_bytes == record.offset_bytes;
    if (same && !freed.contains(record.id.sequence)) {
      known = {move.file, move.directory, offset, record.record_bytes};
      overtaken_reads += static_cast<std::size_t>(
        std::ranges::count_if(reads, [&](const auto& read) { return read.id == record.id; }));
    } else {
      ++dead_on_arrival;
    }
    return record.record_bytes;
  }
};

} // namespace mobula::test

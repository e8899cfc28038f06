#pragma once

#include <cstddef>
#include <cstdint>

namespace mobula {

struct spill_config {
  std::size_t directories = 1;
  /// No file grows beyond this, except for one that holds a single larger record.
  std::uint64_t max_file_bytes = std::uint64_t{128} << 20;
  /// A write ends before it exceeds this; its first record is always taken.
  std::uint64_t batch_bytes = std::uint64_t{16} << 20;
  std::size_t max_batch_records = 2'000;
  std::size_t max_writes = 2; ///< moves included
  std::size_t max_reads = 4;
  /// A read ends before it exceeds this; its first record is always taken.
  std::uint64_t read_bytes = std::uint64_t{4} << 20;
  /// Bound on the bytes of all files, dead ones included; zero is none.
  std::uint64_t spill_limit_bytes = 0;
  /// A closed file is rewritten when it has so many dead bytes for each live one; zero is never.
  std::uint64_t dead_for_each_live = 3;
  /// A directory that failed n + 1 times in a row sits out 2^n - 1 retries, at most this many,
  /// while others do its work.
  std::size_t max_skipped_retries = 63;
  /// Reads of one record that fail with an I/O error before the restore fails.
  std::size_t max_read_attempts = 3;
};

} // namespace mobula

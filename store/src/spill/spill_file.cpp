// Writes and reads the records of spill files, many in one call of the system. A record that was
// read is believed only if its header, metadata and data match their checksums.

#include "mobula/store/spill/spill_file.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <fcntl.h>

#include "mobula/serialization/checksum.hpp"
#include "record_header.hpp"
#include "spill_transfer.hpp"

namespace mobula {

namespace {

using namespace spill_format;

header_bytes make_header(const record_view& record) {
  auto header = make_header_start(record.id, record.metadata.size(), record.data.size());
  put(header, at::metadata_hash, checksum_of(record.metadata));
  put(header, at::data_hash, record.data_hash ? *record.data_hash : checksum_of(record.data));
  put(header, at::header_hash, checksum_of(std::span{header}.first<at::header_hash>()));
  return header;
}

bool is_intact(const header_bytes& header, const object_id& expected, const record_target& target) {
  auto start = make_header_start(expected, target.metadata.size(), target.data.size());
  return std::equal(start.begin(), start.begin() + at::metadata_hash, header.begin())
         && get(header, at::header_hash) == checksum_of(std::span{header}.first<at::header_hash>())
         && get(header, at::metadata_hash) == checksum_of(target.metadata)
         && get(header, at::data_hash) == checksum_of(target.data);
}

/// How far ahead the disk is asked to read. Records that were spilled together are often wanted
/// together, and each read opens the file anew, so that the kernel cannot see a pattern. Large
/// reads need no help: what they would save is small against themselves.
constexpr std::uint64_t prefetch_bytes = std::uint64_t{1} << 20U;

void prefetch_after(int file, std::uint64_t end, std::uint64_t read_bytes) {
  if (read_bytes < prefetch_bytes)
    ::posix_fadvise(file, static_cast<off_t>(end), static_cast<off_t>(prefetch_bytes),
                    POSIX_FADV_WILLNEED);
}

std::uint64_t size_of(const wanted_record& record) {
  return spill_record_bytes(record.target.metadata.size(), record.target.data.size());
}

/// What a read brought besides what is in the targets now.
struct parts_read {
  transfer_end end = transfer_end::done;
  int error_number = 0; ///< why it failed
  std::vector<header_bytes> headers;
};

parts_read read_parts(const file_handle& handle, std::uint64_t offset,
                      std::span<const wanted_record> records, const io_calls& calls) {
  parts_read result;
  // Reserved, because the parts point into it.
  result.headers.reserve(records.size());
  transfer parts;
  std::uint64_t bytes = 0;
  for (const auto& record : records) {
    auto& header = result.headers.emplace_back();
    parts.add(header.data(), header.size());
    parts.add(record.target.metadata.data(), record.target.metadata.size());
    parts.add(record.target.data.data(), record.target.data.size());
    bytes += size_of(record);
  }
  prefetch_after(handle.get(), offset + bytes, bytes);
  result.end = run(parts, calls.preadv, handle.get(), offset);
  result.error_number = errno;
  return result;
}

read_result judge(const parts_read& read, std::size_t index, const wanted_record& record,
                  const std::filesystem::path& file) {
  if (read.end == transfer_end::failed)
    return {read_status::failed, io_failure{file.string(), io_operation::read, read.error_number}};
  auto intact =
    read.end == transfer_end::done && is_intact(read.headers[index], record.id, record.target);
  return {intact ? read_status::intact : read_status::damaged, std::nullopt};
}

std::size_t count_whole(std::span<const record_view> records, std::uint64_t bytes) {
  std::size_t whole = 0;
  for (const auto& record : records) {
    auto size = spill_record_bytes(record.metadata.size(), record.data.size());
    if (size > bytes)
      break;
    bytes -= size;
    ++whole;
  }
  return whole;
}

/// Returns what `fdatasync` returns once no signal interrupts it.
int sync_data(const file_handle& handle, const io_calls& calls) {
  for (;;)
    if (auto result = calls.fdatasync(handle.get()); result == 0 || errno != EINTR)
      return result;
}

struct write_progress {
  std::uint64_t bytes = 0;
  std::optional<int> error_number;
};

write_progress write_parts(const file_handle& handle, std::uint64_t offset,
                           std::span<const record_view> records, sync_policy sync,
                           const io_calls& calls) {
  // Reserved, because the parts point into it.
  std::vector<header_bytes> headers;
  headers.reserve(records.size());
  transfer parts;
  for (const auto& record : records) {
    add_source(parts, headers.emplace_back(make_header(record)));
    add_source(parts, record.metadata);
    add_source(parts, record.data);
  }
  // After each call: the disk should not idle while the rest of a large record is still on its way
  // to the page cache.
  auto write_some = [&](int file, const iovec* first, int count, off_t position) {
    auto moved = calls.pwritev(file, first, count, position);
    if (moved > 0 && sync == sync_policy::begin)
      begin_writeback(file, static_cast<std::uint64_t>(position),
                      static_cast<std::uint64_t>(moved));
    return moved;
  };
  switch (run(parts, write_some, handle.get(), offset)) {
    case transfer_end::done:
      return {parts.moved_bytes(), std::nullopt};
    case transfer_end::end_of_file:
      // A write that moves nothing and names no error would be tried for ever.
      return {parts.moved_bytes(), EIO};
    case transfer_end::failed:
      break;
  }
  return {parts.moved_bytes(), errno};
}

} // namespace

write_result write_records(const std::filesystem::path& file, std::uint64_t offset,
                           std::span<const record_view> records, sync_policy sync,
                           const io_calls& calls) {
  auto failed_at = [&](io_operation operation, int error_number) {
    return io_failure{file.string(), operation, error_number};
  };
  // Never truncating and never creating at a later offset: a file that vanished underneath must
  // fail the write, not come back with a hole where its records were.
  auto creation = offset == 0 ? O_CREAT | O_EXCL : 0;
  auto flags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW | creation;
  file_handle handle{calls, calls.open(file.c_str(), flags, 0600)};
  if (!handle.valid())
    return {0, failed_at(io_operation::open, errno)};
  auto written = write_parts(handle, offset, records, sync, calls);
  write_result result{count_whole(records, written.bytes), std::nullopt};
  if (written.error_number)
    result.failure = failed_at(io_operation::write, *written.error_number);
  // After a failed sync Linux drops the dirty pages: none of this batch can be trusted.
  if (sync == sync_policy::data && result.records_written > 0 && sync_data(handle, calls) != 0)
    return {0, failed_at(io_operation::sync, errno)};
  // Network file systems report delayed writes here.
  if (handle.close() != 0)
    return {0, failed_at(io_operation::close, errno)};
  return result;
}

std::vector<read_result> read_records_at(const std::filesystem::path& file, std::uint64_t offset,
                                         std::span<const wanted_record> records,
                                         const io_calls& calls) {
  const file_handle handle{calls, calls.open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0)};
  if (!handle.valid()) {
    auto status = errno == ENOENT || errno == ENOTDIR ? read_status::missing : read_status::failed;
    return {records.size(), {status, io_failure{file.string(), io_operation::open, errno}}};
  }
  auto together = read_parts(handle, offset, records, calls);
  std::vector<read_result> results;
  for (std::size_t i = 0; i < records.size(); ++i) {
    // Which of several records a failed read has, nobody says: each is read for itself then.
    auto known = together.end == transfer_end::done || records.size() == 1;
    auto single = records.subspan(i, 1);
    results.push_back(known
                        ? judge(together, i, records[i], file)
                        : judge(read_parts(handle, offset, single, calls), 0, records[i], file));
    offset += size_of(records[i]);
  }
  return results;
}

std::optional<io_failure> remove_file(const std::filesystem::path& file, const io_calls& calls) {
  if (calls.unlink(file.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR)
    return std::nullopt;
  return io_failure{file.string(), io_operation::remove, errno};
}

} // namespace mobula

// Copies records from one spill file to another, each verified before any of it is written. One
// that cannot be read is left out, and the caller is told.

#include "mobula/store/spill/spill_copy.hpp"

#include <cerrno>

#include <fcntl.h>

#include "record_reader.hpp"
#include "spill_transfer.hpp"

namespace mobula {

namespace {

/// Copies one record after the other.
class record_copier {
public:
  record_copier(const file_handle& from, const file_handle& to, const io_calls& calls)
    : from_(from, calls), to_(to), calls_(calls) {
  }

  [[nodiscard]] bool verify(const moving_record& record) {
    return from_.verify(record);
  }

  enum class copy_end { copied, unreadable, unwritable };

  /// Copies a record's bytes; after `unwritable`, `errno` says why.
  [[nodiscard]] copy_end copy(const moving_record& record, std::uint64_t offset) {
    for (std::uint64_t done = 0; done < record.record_bytes;) {
      auto part = from_.part_of(record.record_bytes - done);
      if (!from_.read(part, record.offset_bytes + done))
        return copy_end::unreadable;
      transfer parts;
      add_source(parts, part);
      auto end = run(parts, calls_.pwritev, to_.get(), offset + done);
      if (end == transfer_end::end_of_file)
        errno = EIO;
      if (end != transfer_end::done)
        return copy_end::unwritable;
      done += part.size();
    }
    return copy_end::copied;
  }

private:
  record_reader from_;
  const file_handle& to_;
  const io_calls& calls_;
};

/// Copies until one record cannot be written; returns the system's error then.
std::optional<int> copy_all(record_copier& copier, std::span<const moving_record> records,
                            std::uint64_t offset, std::vector<record_move>& ends) {
  using enum record_copier::copy_end;
  for (const auto& record : records) {
    auto end = copier.verify(record) ? copier.copy(record, offset) : unreadable;
    if (end == unwritable)
      return errno;
    // The next record goes over what there may be of one that turned unreadable.
    if (end == copied)
      offset += record.record_bytes;
    ends.push_back(end == copied ? record_move::moved : record_move::unreadable);
  }
  return std::nullopt;
}

} // namespace

copy_result copy_records(const std::filesystem::path& from, std::span<const moving_record> records,
                         const std::filesystem::path& to, std::uint64_t offset, sync_policy sync,
                         const io_calls& calls) {
  auto failed_at = [&](io_operation operation, int error_number) {
    return io_failure{to.string(), operation, error_number};
  };
  file_handle source{calls, calls.open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0)};
  if (!source.valid())
    return {std::vector(records.size(), record_move::unreadable), std::nullopt};
  auto creation = offset == 0 ? O_CREAT | O_EXCL : 0;
  file_handle target{calls,
                     calls.open(to.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | creation, 0600)};
  if (!target.valid())
    return {{}, failed_at(io_operation::open, errno)};
  record_copier copier{source, target, calls};
  copy_result result;
  auto error_number = copy_all(copier, records, offset, result.records);
  if (error_number)
    result.failure = failed_at(io_operation::write, *error_number);
  if (sync == sync_policy::begin)
    begin_writeback(target.get(), offset, 0);
  // As in `write_records`: after either of these fails nothing of it can be trusted.
  if (sync == sync_policy::data && calls.fdatasync(target.get()) != 0)
    return {{}, failed_at(io_operation::sync, errno)};
  if (target.close() != 0)
    return {{}, failed_at(io_operation::close, errno)};
  return result;
}

} // namespace mobula

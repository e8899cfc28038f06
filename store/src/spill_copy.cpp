#include "mobula/store/spill_copy.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>

#include <fcntl.h>

#include "spill_format.hpp"
#include "spill_transfer.hpp"

namespace mobula {

namespace {

constexpr std::size_t buffer_bytes = std::size_t{1} << 20;

struct free_hash {
  void operator()(XXH3_state_t* state) const noexcept {
    XXH3_freeState(state);
  }
};

/// Copies one record after the other.
class record_copier {
public:
  record_copier(const file_handle& from, const file_handle& to, const io_calls& calls)
    : from_(from), to_(to), calls_(calls), buffer_(buffer_bytes), hash_(XXH3_createState()) {
    if (!hash_)
      throw std::bad_alloc{};
  }

  /// Returns whether the record is whole.
  [[nodiscard]] bool verify(const moving_record& record) {
    using namespace spill_format;
    if (record.record_bytes < spill_header_bytes)
      return false;
    header_bytes header;
    if (!read(std::as_writable_bytes(std::span{header}), record.offset_bytes))
      return false;
    auto metadata_bytes = get(header, at::metadata_size);
    auto body_bytes = record.record_bytes - spill_header_bytes;
    if (metadata_bytes > body_bytes)
      return false;
    auto data_bytes = body_bytes - metadata_bytes;
    auto start = make_header_start(record.id, metadata_bytes, data_bytes);
    auto metadata_offset = record.offset_bytes + spill_header_bytes;
    return std::equal(start.begin(), start.begin() + at::metadata_hash, header.begin())
           && get(header, at::header_hash) == hash_of(std::span{header}.first<at::header_hash>())
           && has_hash(metadata_offset, metadata_bytes, get(header, at::metadata_hash))
           && has_hash(metadata_offset + metadata_bytes, data_bytes, get(header, at::data_hash));
  }

  enum class copy_end { copied, unreadable, unwritable };

  /// Copies a record's bytes; after `unwritable`, `errno` says why.
  [[nodiscard]] copy_end copy(const moving_record& record, std::uint64_t offset) {
    for (std::uint64_t done = 0; done < record.record_bytes;) {
      auto part = part_of(record.record_bytes - done);
      if (!read(part, record.offset_bytes + done))
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
  [[nodiscard]] std::span<std::byte> part_of(std::uint64_t bytes) {
    return std::span{buffer_}.first(std::min<std::uint64_t>(bytes, buffer_.size()));
  }

  [[nodiscard]] bool read(std::span<std::byte> target, std::uint64_t offset) const {
    transfer parts;
    parts.add(target.data(), target.size());
    return run(parts, calls_.preadv, from_.get(), offset) == transfer_end::done;
  }

  [[nodiscard]] bool has_hash(std::uint64_t offset, std::uint64_t bytes, std::uint64_t expected) {
    XXH3_64bits_reset(hash_.get());
    for (std::uint64_t done = 0; done < bytes;) {
      auto part = part_of(bytes - done);
      if (!read(part, offset + done))
        return false;
      XXH3_64bits_update(hash_.get(), part.data(), part.size());
      done += part.size();
    }
    return XXH3_64bits_digest(hash_.get()) == expected;
  }

  const file_handle& from_;
  const file_handle& to_;
  const io_calls& calls_;
  std::vector<std::byte> buffer_;
  std::unique_ptr<XXH3_state_t, free_hash> hash_;
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

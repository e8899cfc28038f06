#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <fcntl.h>
#include <sys/uio.h>

namespace mobula {

// Linux takes at most this many parts in one call (UIO_MAXIOV).
inline constexpr std::size_t max_transfer_parts = 1'024;

/// A call moves no more than this, so that the disk can be set to work between two calls, and one
/// call never keeps a thread for long.
inline constexpr std::size_t max_transfer_bytes = std::size_t{8} << 20U;

/// The parts of a transfer, and how far it is. Short transfers are the rule for large ones.
class transfer {
public:
  void add(void* bytes, std::size_t count) {
    auto* next = static_cast<std::byte*>(bytes);
    for (; count > 0; count -= parts_.back().iov_len, next += parts_.back().iov_len)
      parts_.push_back({next, std::min(count, max_transfer_bytes)});
  }

  [[nodiscard]] bool done() const {
    return next_ == parts_.size();
  }

  [[nodiscard]] const iovec* parts() const {
    return parts_.data() + next_;
  }

  /// Returns how many parts the next call may take.
  [[nodiscard]] int count() const {
    auto end = std::min(parts_.size(), next_ + max_transfer_parts);
    auto last = next_;
    for (std::size_t bytes = 0; last < end; ++last) {
      bytes += parts_[last].iov_len;
      if (bytes > max_transfer_bytes && last > next_)
        break;
    }
    return static_cast<int>(last - next_);
  }

  void advance(std::size_t bytes) {
    moved_ += bytes;
    while (bytes > 0 && bytes >= parts_[next_].iov_len)
      bytes -= parts_[next_++].iov_len;
    if (bytes > 0) {
      parts_[next_].iov_base = static_cast<std::byte*>(parts_[next_].iov_base) + bytes;
      parts_[next_].iov_len -= bytes;
    }
  }

  [[nodiscard]] std::uint64_t moved_bytes() const {
    return moved_;
  }

private:
  std::vector<iovec> parts_;
  std::size_t next_ = 0;
  std::uint64_t moved_ = 0;
};

enum class transfer_end { done, end_of_file, failed };

template <class Call>
transfer_end run(transfer& parts, Call call, int file, std::uint64_t offset) {
  while (!parts.done()) {
    auto position = static_cast<off_t>(offset + parts.moved_bytes());
    auto moved = call(file, parts.parts(), parts.count(), position);
    if (moved < 0 && errno == EINTR)
      continue;
    if (moved < 0)
      return transfer_end::failed;
    if (moved == 0)
      return transfer_end::end_of_file;
    parts.advance(static_cast<std::size_t>(moved));
  }
  return transfer_end::done;
}

/// Has the disk begin to write what was written to a file. Its failure is none: the page cache has
/// the bytes, and writes them some day. No `bytes` stand for all up to the end.
inline void begin_writeback(int file, std::uint64_t offset, std::uint64_t bytes) {
  ::sync_file_range(file, static_cast<off64_t>(offset), static_cast<off64_t>(bytes),
                    SYNC_FILE_RANGE_WRITE);
}

/// Adds a buffer that is only read from; `iovec` cannot say so.
inline void add_source(transfer& parts, std::span<const std::byte> bytes) {
  parts.add(const_cast<std::byte*>(bytes.data()), bytes.size());
}

} // namespace mobula

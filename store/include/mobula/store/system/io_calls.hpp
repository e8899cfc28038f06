#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>
#include <sys/uio.h>

namespace mobula {

/// The system calls below spill files. A table, so that tests can put a failing disk under the real
/// code; everything else passes `system_io_calls`.
struct io_calls {
  int (*open)(const char* path, int flags, mode_t mode);
  ssize_t (*pwritev)(int file, const iovec* parts, int count, off_t offset);
  ssize_t (*preadv)(int file, const iovec* parts, int count, off_t offset);
  int (*fdatasync)(int file);
  int (*close)(int file);
  int (*unlink)(const char* path);
};

[[nodiscard]] const io_calls& system_io_calls() noexcept;

enum class io_operation {
  open,
  write,
  sync,
  close,
  read,
  remove,
  list,
  lock,
  publish, ///< give a file its name
  map,
  measure, ///< ask for a file's or a file system's size
  reserve  ///< take memory for part of an arena
};

/// How much was asked for, and how much there was.
struct space_shortage {
  std::uint64_t wanted_bytes = 0;
  std::uint64_t available_bytes = 0;
};

/// One system call that failed.
struct io_failure {
  std::string path;
  io_operation operation;
  int error_number;
  std::optional<space_shortage> shortage{}; ///< of `reserve`
};

/// Returns path, operation, the system's text for the error, and what to do about it.
[[nodiscard]] std::string explain(const io_failure& failure);

/// Returns whether more space would have helped.
[[nodiscard]] bool is_disk_full(const io_failure& failure) noexcept;

/// Closes a file descriptor at the end of its scope. For files that were only read: a write's
/// errors may come with the close and must be looked at.
class file_handle {
public:
  file_handle(const io_calls& calls, int descriptor) noexcept
    : calls_(&calls), descriptor_(descriptor) {
  }

  ~file_handle() {
    if (descriptor_ >= 0)
      calls_->close(descriptor_);
  }

  file_handle(const file_handle&) = delete;
  file_handle& operator=(const file_handle&) = delete;

  [[nodiscard]] bool valid() const noexcept {
    return descriptor_ >= 0;
  }

  [[nodiscard]] int get() const noexcept {
    return descriptor_;
  }

  /// Closes now. Returns what `close` returns.
  [[nodiscard]] int close() noexcept {
    auto result = calls_->close(descriptor_);
    descriptor_ = -1;
    return result;
  }

private:
  const io_calls* calls_;
  int descriptor_;
};

} // namespace mobula

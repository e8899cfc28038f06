// The system calls that tests can replace, and what people read when one fails: what was tried,
// where, why it failed, and what to do about it.

#include "mobula/store/system/io_calls.hpp"

#include <cerrno>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "mobula/serialization/counted.hpp"

namespace mobula {

namespace {

/// Some file systems, as those of a network, let signals interrupt this.
int open_file(const char* path, int flags, mode_t mode) {
  for (;;)
    if (auto file = ::open(path, flags, mode); file >= 0 || errno != EINTR)
      return file;
}

std::string_view name_of(io_operation operation) {
  switch (operation) {
    case io_operation::open:
      return "open";
    case io_operation::write:
      return "write";
    case io_operation::sync:
      return "sync";
    case io_operation::close:
      return "close";
    case io_operation::read:
      return "read";
    case io_operation::remove:
      return "remove";
    case io_operation::list:
      return "list";
    case io_operation::lock:
      return "lock";
    case io_operation::publish:
      return "publish";
    case io_operation::map:
      return "map";
    case io_operation::measure:
      return "measure";
    case io_operation::reserve:
      return "reserve memory in";
  }
  return "use";
}

bool is_about_arena(io_operation operation) {
  return operation == io_operation::publish || operation == io_operation::map
         || operation == io_operation::measure || operation == io_operation::reserve;
}

std::string_view remedy_for_arena(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case ENOMEM:
      return "configure a smaller store, enlarge that tmpfs or the memory limit, or configure "
             "another arena directory";
    case EEXIST:
      return "let no two nodes use one incarnation";
    case EOPNOTSUPP:
      return "configure an arena directory on a tmpfs";
    default:
      return "check the arena directory and the kernel's log, or configure another one";
  }
}

std::string_view remedy_for_disk(int error_number) {
  switch (error_number) {
    case ENOSPC:
      return "free space on that disk, or configure another spill directory";
    case EDQUOT:
      return "raise this user's quota on that disk or free some of it, or configure another spill "
             "directory";
    case EFBIG:
      return "raise the limit on the size of files (ulimit -f), or lower mobula.spill-file-size";
    case EACCES:
    case EPERM:
      return "make the directory writable for this user, or configure another spill directory";
    case EROFS:
      return "mount that file system for writing, or configure another spill directory";
    case ENOENT:
    case ENOTDIR:
      return "create the directory again, and keep cleaners away from it while nodes run";
    case EMFILE:
    case ENFILE:
      return "raise the limit on open files (ulimit -n for the process, fs.file-max for the "
             "system)";
    case EWOULDBLOCK:
      return "a living node holds it: let no two nodes use one incarnation";
    case EIO:
      return "the disk fails: look at the kernel's log, and configure a spill directory on another";
    default:
      return "check the disk and the kernel's log, or configure another spill directory";
  }
}

} // namespace

const io_calls& system_io_calls() noexcept {
  static constexpr io_calls calls{
    .open = open_file,
    .pwritev = ::pwritev,
    .preadv = ::preadv,
    .fdatasync = ::fdatasync,
    .close = ::close,
    .unlink = ::unlink,
  };
  return calls;
}

std::string explain(const io_failure& failure) {
  auto sizes = failure.shortage ? fmt::format(" (wanted {}, available {})",
                                              counted(failure.shortage->wanted_bytes, "byte"),
                                              failure.shortage->available_bytes)
                                : std::string{};
  auto remedy = is_about_arena(failure.operation) ? remedy_for_arena(failure.error_number)
                                                  : remedy_for_disk(failure.error_number);
  return fmt::format("cannot {} {}: {}{}; {}", name_of(failure.operation), failure.path,
                     std::generic_category().message(failure.error_number), sizes, remedy);
}

bool is_disk_full(const io_failure& failure) noexcept {
  return failure.error_number == ENOSPC || failure.error_number == EDQUOT;
}

} // namespace mobula

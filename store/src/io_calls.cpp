#include "mobula/store/io_calls.hpp"

#include <cerrno>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

namespace mobula {

namespace {

int open_file(const char* path, int flags, mode_t mode) {
  return ::open(path, flags, mode);
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
  }
  return "use";
}

std::string_view remedy_for(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return "free space on that disk, or configure another spill directory";
    case EACCES:
    case EPERM:
    case EROFS:
      return "make the directory writable for this user, or configure another spill directory";
    case ENOENT:
    case ENOTDIR:
      return "create the directory again, and keep cleaners away from it while nodes run";
    case EMFILE:
    case ENFILE:
      return "raise the limit on open files";
    case EWOULDBLOCK:
      return "a living node holds it: let no two nodes use one incarnation";
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
  return fmt::format("cannot {} {}: {}; {}", name_of(failure.operation), failure.path,
                     std::generic_category().message(failure.error_number),
                     remedy_for(failure.error_number));
}

bool is_disk_full(const io_failure& failure) noexcept {
  return failure.error_number == ENOSPC || failure.error_number == EDQUOT;
}

} // namespace mobula

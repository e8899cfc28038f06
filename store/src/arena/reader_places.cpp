// One word and one locked byte of an arena for each reader process. The kernel drops the lock when
// the process ends, which is how the owner learns of a death that reports nothing.

#include "reader_places.hpp"

#include <cerrno>

#include <fcntl.h>

namespace mobula {

namespace {

using place_word = std::atomic<std::uint64_t>;

static_assert(sizeof(place_word) == 8 && place_word::is_always_lock_free, "shared by processes");

} // namespace

reader_place::reader_place(const arena_mapping& mapping, const arena_layout& layout,
                           reader_index index) noexcept
  : descriptor_(mapping.descriptor()),
    offset_(layout.readers.offset + sizeof(place_word) * static_cast<std::uint8_t>(index)),
    word_(reinterpret_cast<place_word*>(mapping.at(offset_))), index_(index) {
}

int reader_place::try_lock() const noexcept {
  auto error = set_lock(F_WRLCK);
  return error == EACCES ? EAGAIN : error;
}

void reader_place::unlock() const noexcept {
  // Cannot fail for a lock that is held.
  static_cast<void>(set_lock(F_UNLCK));
}

int reader_place::set_lock(short type) const noexcept {
  struct flock request {};
  request.l_type = type;
  request.l_whence = SEEK_SET;
  request.l_start = static_cast<off_t>(offset_);
  request.l_len = 1;
  return ::fcntl(descriptor_, F_OFD_SETLK, &request) == 0 ? 0 : errno;
}

} // namespace mobula

#pragma once

#include <atomic>
#include <cstdint>

#include "mobula/store/arena/arena_layout.hpp"
#include "mobula/store/arena/arena_mapping.hpp"
#include "mobula/store/arena/slot_word.hpp"

/// The places for reader processes in an arena: 62 words, and a lock on the first byte of each
/// (docs/formats.md, "Registration words").
///
/// The locks are *open file description* locks (fcntl(2), "F_OFD_SETLK"): they end with the last
/// descriptor of the one `open` that took them, however its process ends, and two readers in one
/// process exclude each other. (Classic POSIX locks belong to the process, and any close of the
/// file drops them all.) The owner's `flock` on the same file is another kind and does not meet
/// them.
///
/// Who writes a word: a reader from 0 to its process id, after it took the lock, and back to 0
/// before it drops the lock; the owner to 0, holding the lock of a reader that died. A death
/// - between lock and word leaves a free place,
/// - between word and the end of the lock leaves a word without lock: no reader takes that place
///   until the owner, who alone can clear the bits left behind, has freed it.

namespace mobula {

/// One place, as seen through one open file.
class reader_place {
public:
  reader_place(const arena_mapping& mapping, const arena_layout& layout,
               reader_index index) noexcept;

  [[nodiscard]] reader_index index() const noexcept {
    return index_;
  }

  /// Returns the id of the process that has the place; 0 if it is free. Acquire: pairs with the
  /// release in `write`; who finds the place free sets bits after the last holder's were cleared.
  [[nodiscard]] std::uint64_t holder() const noexcept {
    return word_->load(std::memory_order_acquire);
  }

  void write(std::uint64_t holder) const noexcept {
    word_->store(holder, std::memory_order_release);
  }

  /// Returns 0, `EAGAIN` if another open file has the lock, or the number of another error.
  [[nodiscard]] int try_lock() const noexcept;

  void unlock() const noexcept;

private:
  [[nodiscard]] int set_lock(short type) const noexcept;

  int descriptor_;
  std::uint64_t offset_;
  std::atomic<std::uint64_t>* word_;
  reader_index index_;
};

} // namespace mobula

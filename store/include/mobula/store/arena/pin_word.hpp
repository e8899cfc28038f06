#pragma once

#include <atomic>
#include <cstdint>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

/// A coarse mark of when a copy was last read: the number of questions its shard had asked by then.
/// Only compared for equality. Zero means "not since it was sealed".
enum class use_stamp : std::uint32_t {};

/// What the shard learns when it asks for a copy's memory.
enum class reclaim_result { reclaimed, pinned };

/// What the shard learns when it only looks at a copy.
enum class pin_state { idle, pinned };

/// What a reader has to do after it let go of a copy.
enum class unpin_result { nothing, tell_shard };

/// Decides between the readers of one copy and the shard that wants its memory back.
///
/// The idea: one word holds the number of pins and two marks, so that one compare-and-swap answers
/// "may I read?" and "may I free?" against each other. *Closed* refuses new readers: the copy is
/// gone, or goes with its last pin. *Watched* refuses nobody, but the last unpin reports, so that
/// the shard never has to poll a copy it found pinned.
///
/// Reports are hints: between a reader's unpin and the arrival of its message, another reader may
/// have pinned. The shard asks the word again. A hint is never lost: each mark ends in a report, or
/// in the shard's own success.
///
/// Who writes: readers the count, and the watched mark when they clear it; the shard the marks and,
/// in `reset` and `reopen`, all of it. The touch stamp belongs to readers; the shard zeroes it in
/// `reset`.
///
/// Who may die: all readers of a word live in one process. While that is the shard's process, the
/// word dies with them. In shared memory each slot has one word for each reader process, because a
/// count cannot tell whose pins it counts: when a process dies, at any instruction, the shard sees
/// its death from the kernel, nobody else writes that word any more, and `clear_dead_reader` puts
/// it right. When the shard's process dies, the whole arena is dead: readers go on reading the
/// pages they have mapped, and their reports go nowhere. Each call makes its change in one atomic
/// step, so there is no half-made state in which a death could leave the word; an unpin that dies
/// before it has cleared the watched mark is a reader's death as above.
class pin_word {
public:
  // -- readers ----------------------------------------------------------------

  /// Takes a pin. Fails when the copy is gone or on its way out, and then writes nothing.
  [[nodiscard]] bool try_pin() noexcept {
    // Relaxed: a guess that the exchange below checks.
    auto seen = word_.load(std::memory_order_relaxed);
    while ((seen & closed) == 0) {
      MOBULA_ASSERT((seen & count_mask) != count_mask);
      // Acquire: pairs with the release in `reset`. The reads of the copy stay behind the pin and
      // see what its creator wrote before the shard opened the word.
      if (word_.compare_exchange_weak(seen, seen + 1, std::memory_order_acquire,
                                      std::memory_order_relaxed))
        return true;
    }
    return false;
  }

  /// Takes one more pin, also of a copy that is on its way out. REQUIRES: the caller holds a pin.
  void add_pin() noexcept {
    // Relaxed: the caller's own pin did the ordering.
    auto before = word_.fetch_add(1, std::memory_order_relaxed);
    MOBULA_ASSERT((before & count_mask) != 0 && (before & count_mask) != count_mask);
  }

  /// Gives a pin back. On `tell_shard` the caller must report the copy to its shard as unpinned.
  [[nodiscard]] unpin_result unpin() noexcept {
    // Release: pairs with the acquire in `try_reclaim` and `doom`; our reads end before the memory
    // is used again. Acquire: pairs with the release of the other readers' unpins, so that a report
    // from us also carries the end of their reads.
    auto before = word_.fetch_sub(1, std::memory_order_acq_rel);
    MOBULA_ASSERT((before & count_mask) != 0);
    if ((before & count_mask) != 1 || (before & (closed | watched)) == 0)
      return unpin_result::nothing;
    if ((before & closed) != 0)
      return unpin_result::tell_shard;
    // The mark is worth one report. When the exchange fails, someone else answers for the mark: a
    // new reader, or the shard, which closed the word. Relaxed: the step above did the ordering.
    auto expected = watched;
    auto cleared = word_.compare_exchange_strong(expected, 0, std::memory_order_relaxed);
    return cleared ? unpin_result::tell_shard : unpin_result::nothing;
  }

  /// Notes that the copy is in use. Relaxed: a hint for the eviction order that guards nothing.
  void touch(use_stamp stamp) noexcept {
    auto value = static_cast<std::uint32_t>(stamp);
    // Reading first keeps the cache line shared among readers of a popular copy.
    if (last_use_.load(std::memory_order_relaxed) != value)
      last_use_.store(value, std::memory_order_relaxed);
  }

  // -- the shard --------------------------------------------------------------

  /// Returns what the last `touch` noted. Relaxed, as in `touch`.
  [[nodiscard]] use_stamp last_use() const noexcept {
    return use_stamp{last_use_.load(std::memory_order_relaxed)};
  }

  /// Returns whether the copy has readers at this moment. For figures; changes nothing.
  [[nodiscard]] bool pinned() const noexcept {
    return (word_.load(std::memory_order_relaxed) & count_mask) != 0;
  }

  /// Returns whether the copy has readers; if so, its last unpin will report.
  [[nodiscard]] pin_state look() noexcept {
    // Relaxed throughout: neither answer lets the shard touch the copy's memory.
    auto seen = word_.load(std::memory_order_relaxed);
    while ((seen & count_mask) != 0)
      if (word_.compare_exchange_weak(seen, seen | watched, std::memory_order_relaxed,
                                      std::memory_order_relaxed))
        return pin_state::pinned;
    return pin_state::idle;
  }

  /// Takes the copy from the readers if there are none, for ever until `reset`. Otherwise readers
  /// go on as before, and the last unpin will report.
  [[nodiscard]] reclaim_result try_reclaim() noexcept {
    auto seen = word_.load(std::memory_order_relaxed);
    for (;;) {
      MOBULA_ASSERT((seen & closed) == 0);
      auto pinned = (seen & count_mask) != 0;
      // Acquire: pairs with the release in `unpin`; the last reads have ended before the memory is
      // used again.
      if (word_.compare_exchange_weak(seen, pinned ? seen | watched : closed,
                                      std::memory_order_acquire, std::memory_order_relaxed))
        return pinned ? reclaim_result::pinned : reclaim_result::reclaimed;
    }
  }

  /// The same for who cannot know whether the copy is open: takes nothing from a closed one.
  /// Returns whether it was taken.
  [[nodiscard]] bool try_close() noexcept {
    auto seen = word_.load(std::memory_order_relaxed);
    while ((seen & closed) == 0) {
      auto pinned = (seen & count_mask) != 0;
      // Acquire: as in `try_reclaim`.
      if (word_.compare_exchange_weak(seen, pinned ? seen | watched : closed,
                                      std::memory_order_acquire, std::memory_order_relaxed))
        return !pinned;
    }
    return false;
  }

  /// Refuses new readers from now on. If the copy still has some, its last unpin will report, and
  /// the shard then calls this again.
  [[nodiscard]] reclaim_result doom() noexcept {
    // Acquire: as in `try_reclaim`.
    auto before = word_.fetch_or(closed, std::memory_order_acquire);
    return (before & count_mask) != 0 ? reclaim_result::pinned : reclaim_result::reclaimed;
  }

  /// Opens the word for a new copy. REQUIRES: it is new, or was reclaimed.
  void reset() noexcept {
    // Relaxed: ordered before every later pin by the release below.
    last_use_.store(0, std::memory_order_relaxed);
    reopen();
  }

  /// Gives a copy back to its readers as it was taken from them: with the stamp of its last use.
  /// REQUIRES: it was reclaimed or closed.
  void reopen() noexcept {
    MOBULA_ASSERT((word_.load(std::memory_order_relaxed) & ~watched) == closed);
    // Release: pairs with the acquire in `try_pin`; the copy's bytes are there before its readers.
    word_.store(0, std::memory_order_release);
  }

  /// Drops the pins of a process that the kernel reports dead; the marks stay as they are.
  /// REQUIRES: no thread that pins through this word is alive.
  void clear_dead_reader() noexcept {
    // Relaxed: the dead read nothing any more, and the kernel's word of it is the ordering.
    word_.fetch_and(closed, std::memory_order_relaxed);
  }

private:
  static constexpr std::uint32_t closed = 1U << 31;
  static constexpr std::uint32_t watched = 1U << 30;
  static constexpr std::uint32_t count_mask = watched - 1;

  // Starts closed: a slot without a copy has nothing to read.
  std::atomic<std::uint32_t> word_{closed};
  std::atomic<std::uint32_t> last_use_{0};

  static_assert(std::atomic<std::uint32_t>::is_always_lock_free, "shared by processes");
};

} // namespace mobula

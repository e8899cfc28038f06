#pragma once

#include <atomic>
#include <cstdint>

#include "mobula/store/arena/slot_word.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

/// Counts what one reader process has pinned of one slot, so that its threads can share the bit
/// that the process has in the `slot_word`.
///
/// The idea: the first pin sets the bit, the last unpin clears it. Count and bit are two words, so
/// neither change is one step; whoever makes one first takes the count to *busy*, and others wait.
/// (Without that, a thread that is late in clearing the bit could clear it under the next thread's
/// pin. Every scheme that lets the next one overtake needs both words in one step.) Busy lasts for
/// one exchange of the shared word. Only a thread that meets it sleeps, in case its holder was
/// preempted there; without such a meeting there is no system call, and pins that join others never
/// touch shared memory.
///
/// Invariant: while the count is positive and not busy, the bit is set.
///
/// In ordinary memory of the process; all zeros count nothing.
class slot_pins {
public:
  /// Takes a pin. Fails when the word is not open.
  [[nodiscard]] bool try_pin(slot_word& word, reader_index reader) noexcept {
    // Relaxed, as all looks here: guesses that an exchange checks.
    auto seen = count_.load(std::memory_order_relaxed);
    for (;;) {
      if (seen == busy) {
        count_.wait(busy, std::memory_order_relaxed);
        seen = count_.load(std::memory_order_relaxed);
        continue;
      }
      MOBULA_ASSERT(seen != busy - 1);
      // Acquire: pairs with the exchange in `settle`. A pin that joins sees what the setter of the
      // bit acquired; the setter sets it after the last one cleared it.
      if (count_.compare_exchange_weak(seen, seen == 0 ? busy : seen + 1, std::memory_order_acquire,
                                       std::memory_order_relaxed))
        break;
    }
    if (seen != 0)
      return true;
    auto pinned = word.try_pin(reader);
    settle(pinned ? 1 : 0);
    return pinned;
  }

  /// Takes one more pin, also of an object on its way out. REQUIRES: the caller holds a pin.
  void add_pin() noexcept {
    // Relaxed: the caller's own pin did the ordering. With that pin it cannot be busy.
    auto before = count_.fetch_add(1, std::memory_order_relaxed);
    MOBULA_ASSERT(before != 0 && before < busy - 1);
  }

  /// Gives a pin back. On `tell_shard` the caller must report the object as unpinned.
  [[nodiscard]] unpin_result unpin(slot_word& word, reader_index reader) noexcept {
    auto seen = count_.load(std::memory_order_relaxed);
    for (;;) {
      MOBULA_ASSERT(seen != 0 && seen < busy);
      // Release: our reads end before the last one's exchange of the shared word. Acquire: if that
      // is ours, the reads of the others have ended before it.
      if (count_.compare_exchange_weak(seen, seen == 1 ? busy : seen - 1, std::memory_order_acq_rel,
                                       std::memory_order_relaxed))
        break;
    }
    if (seen != 1)
      return unpin_result::nothing;
    auto result = word.unpin(reader);
    settle(0);
    return result;
  }

  /// Returns whether the process has pins at this moment. For figures.
  [[nodiscard]] bool pinned() const noexcept {
    return count_.load(std::memory_order_relaxed) != 0;
  }

private:
  static constexpr std::uint32_t busy = 1U << 31;

  void settle(std::uint32_t count) noexcept {
    // Not a store: libstdc++ looks for sleepers right behind it, and a processor may do that look
    // before an earlier store is seen by others. Sequentially consistent for the same reason.
    count_.exchange(count, std::memory_order_seq_cst);
    count_.notify_all();
  }

  std::atomic<std::uint32_t> count_{0};
};

} // namespace mobula

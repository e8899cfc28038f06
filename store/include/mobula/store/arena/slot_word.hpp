#pragma once

#include <atomic>
#include <cstdint>

#include "mobula/store/arena/pin_word.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

/// How many processes can read from one arena at once: the bits that a `slot_word` has for them.
inline constexpr std::uint32_t max_arena_readers = 62;

/// A reader process of one arena: below `max_arena_readers`.
enum class reader_index : std::uint8_t {};

/// A set of reader processes, one bit for each.
enum class reader_set : std::uint64_t {};

[[nodiscard]] constexpr reader_set set_of(reader_index reader) noexcept {
  return reader_set{1ULL << static_cast<std::uint8_t>(reader)};
}

/// Decides between the processes that read an object in an arena and the shard that wants its slot
/// and memory back: what `pin_word` is for the threads of the shard's own process.
///
/// The idea: one bit for each reader process, and two marks, in one word. A count would be shorter,
/// but cannot tell whose pins it counts when a process dies; a count for each process takes four
/// cache lines a slot. Threads of one process share their bit (see slot_pins.hpp). *Open* lets
/// readers in: a word is open from publishing to withdrawal or doom, so the zeros of a new arena
/// are empty slots. *Watched* refuses nobody, but the last unpin reports, so that the shard never
/// polls. A word without open that still has bits is *doomed*: its last unpin always reports.
///
/// A slot changes its object only while its word is zero. So a reader whose bit is set sees one
/// object until it clears it, but must compare the id *after* it pinned: the slot may have changed
/// hands since it looked.
///
/// Reports are hints, as with `pin_word`: each mark is worth one report.
///
/// Who writes, and what a death at any instruction leaves: each call is one atomic step, so no word
/// is ever half-changed.
/// - *Readers* set their own bit while the word is open, clear it at any time, and clear the
///   watched mark in the very step that clears the last bit. (A step of its own could hit the next
///   object's mark.) A dead reader leaves its bit set, at worst in every slot; the kernel tells the
///   owner of its death, which then calls `drop_dead`. A reader that dies after its last unpin
///   takes its report with it; the owner does not rely on reports of the dead (see
///   `object_table::drained`).
/// - *The owner's shard* sets and clears open, sets watched. With its death the whole arena is
///   dead: readers go on reading the pages they have mapped, and their reports go nowhere.
/// - *The owner's `arena_readers`* clears bits of the dead.
///
/// Nothing here asserts what a word holds: a process of the same user may write anything there, and
/// must not be able to end the owner or another reader with it.
class slot_word {
public:
  // -- readers ----------------------------------------------------------------

  /// Returns whether readers may pin. Relaxed: a guess; `try_pin` decides.
  [[nodiscard]] bool open() const noexcept {
    return (word_.load(std::memory_order_relaxed) & open_mark) != 0;
  }

  /// Sets the reader's bit. Fails when the word is not open, and then writes nothing.
  [[nodiscard]] bool try_pin(reader_index reader) noexcept {
    // Relaxed: a guess that the exchange below checks.
    auto seen = word_.load(std::memory_order_relaxed);
    while ((seen & open_mark) != 0)
      // Acquire: pairs with the release in `publish`, also across the steps of others in between,
      // which continue its release sequence. Id, places and bytes are those of the latest publish.
      if (word_.compare_exchange_weak(seen, seen | bit_of(reader), std::memory_order_acquire,
                                      std::memory_order_relaxed))
        return true;
    return false;
  }

  /// Clears the reader's bit. On `tell_shard` the caller must report the object as unpinned.
  [[nodiscard]] unpin_result unpin(reader_index reader) noexcept {
    auto mine = bit_of(reader);
    auto seen = word_.load(std::memory_order_relaxed);
    for (;;) {
      auto next = seen & ~mine;
      auto last = (seen & mine) != 0 && (next & readers_mask) == 0;
      if (last && (seen & open_mark) != 0)
        next &= ~watched_mark;
      // Release: pairs with the acquire in `try_withdraw` and `doom`; our reads end before slot and
      // memory are used again.
      if (word_.compare_exchange_weak(seen, next, std::memory_order_release,
                                      std::memory_order_relaxed))
        return last && (seen & (open_mark | watched_mark)) != open_mark ? unpin_result::tell_shard
                                                                        : unpin_result::nothing;
    }
  }

  // -- the shard --------------------------------------------------------------

  /// Returns whether the slot may take an object. Acquire: pairs with the release in `unpin`.
  [[nodiscard]] bool empty() const noexcept {
    return word_.load(std::memory_order_acquire) == 0;
  }

  /// Lets readers in. REQUIRES: `empty`, and the slot describes an object.
  void publish() noexcept {
    // Release: pairs with the acquire in `try_pin`. A plain store: nobody else writes to a zero.
    word_.store(open_mark, std::memory_order_release);
  }

  /// Returns whether the object has readers; if so, the last unpin will report.
  [[nodiscard]] pin_state look() noexcept {
    // Relaxed throughout: neither answer lets the shard touch the memory.
    auto seen = word_.load(std::memory_order_relaxed);
    while ((seen & readers_mask) != 0)
      if (word_.compare_exchange_weak(seen, seen | watched_mark, std::memory_order_relaxed,
                                      std::memory_order_relaxed))
        return pin_state::pinned;
    return pin_state::idle;
  }

  /// Empties the slot if it has no readers. Otherwise they go on as before, and the last unpin will
  /// report.
  [[nodiscard]] reclaim_result try_withdraw() noexcept {
    auto seen = word_.load(std::memory_order_relaxed);
    for (;;) {
      auto pinned = (seen & readers_mask) != 0;
      // Acquire: pairs with the release in `unpin`; the last reads have ended before slot and
      // memory are used again.
      if (word_.compare_exchange_weak(seen, pinned ? seen | watched_mark : 0,
                                      std::memory_order_acquire, std::memory_order_relaxed))
        return pinned ? reclaim_result::pinned : reclaim_result::reclaimed;
    }
  }

  /// Refuses new readers from now on. If there still are some, the last unpin will report, and the
  /// shard then calls this again; else the slot is empty.
  [[nodiscard]] reclaim_result doom() noexcept {
    // Acquire: as in `try_withdraw`.
    auto before = word_.fetch_and(readers_mask, std::memory_order_acquire);
    return (before & readers_mask) != 0 ? reclaim_result::pinned : reclaim_result::reclaimed;
  }

  // -- the owner, about the dead ----------------------------------------------

  /// Clears the bits of processes that the kernel reports dead; marks stay. REQUIRES: no thread
  /// that pins through these bits is alive.
  void drop_dead(reader_set dead) noexcept {
    auto bits = static_cast<std::uint64_t>(dead) & readers_mask;
    // Looking first spares the untouched slots, nearly all, a write. Relaxed: the dead write no
    // more, and the kernel's word of it is the ordering.
    if ((word_.load(std::memory_order_relaxed) & bits) != 0)
      // Release: to a shard that now finds the slot without readers, as if they had unpinned.
      word_.fetch_and(~bits, std::memory_order_release);
  }

  /// Returns the processes that have the object pinned at this moment. For figures.
  [[nodiscard]] reader_set readers() const noexcept {
    return reader_set{word_.load(std::memory_order_relaxed) & readers_mask};
  }

private:
  static constexpr std::uint64_t open_mark = 1ULL << 63;
  static constexpr std::uint64_t watched_mark = 1ULL << 62;
  static constexpr std::uint64_t readers_mask = watched_mark - 1;

  static std::uint64_t bit_of(reader_index reader) noexcept {
    MOBULA_ASSERT(static_cast<std::uint8_t>(reader) < max_arena_readers);
    return static_cast<std::uint64_t>(set_of(reader));
  }

  std::atomic<std::uint64_t> word_{0};

  static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "shared by processes");
};

} // namespace mobula

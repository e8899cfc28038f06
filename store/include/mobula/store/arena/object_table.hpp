#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/arena/arena_segment.hpp"
#include "mobula/store/arena/arena_slot.hpp"
#include "mobula/store/arena/zeroed_array.hpp"

namespace mobula {

/// A slot of one shard's table.
enum class slot_handle : std::uint32_t {};

/// What an object has that found no slot.
inline constexpr slot_handle no_slot{0xFFFF'FFFF};

struct object_table_stats {
  std::size_t used_slots = 0; ///< published or doomed
  std::size_t capacity = 0;
  std::uint64_t publish_misses = 0; ///< objects whose window was full
  std::size_t awaited = 0;          ///< slots whose last reader will report
};

/// Shows one shard's sealed objects to the reader processes of its arena.
///
/// The idea: an index whose parts need not agree at any moment. An object is in any one of the
/// `slot_window` slots from its home on; a word at its home says in which of them to look, and what
/// is found there is checked. (As in hopscotch hashing, but nothing ever moves: readers may be
/// there.) So there are no chains to mend, no tombstones, no growth under readers, and a search has
/// a bound. The price is that an object whose window is full has no slot: its readers ask the
/// owner.
///
/// *Invariant.* A bit of `entry::neighbours` stands for exactly one used slot, and shared memory
/// holds a copy.
///
/// What is used is known from ordinary memory of this process; shared memory is read for nothing
/// but the readers' bits. So garbage there can keep a slot from being used, or deceive readers, but
/// not the shard's accounts.
///
/// Readers in the owner's own process have no part in this: they pin through their `pin_word`. A
/// store that wants memory back asks both.
///
/// For one thread at a time. With its process the whole arena ends; a reader's death is
/// `arena_readers`' business, after which each shard asks for its `drained` objects.
class object_table {
public:
  /// REQUIRES: the arena outlives this, it has that shard, and no table of it was there before.
  object_table(const arena_segment& arena, std::uint32_t shard);

  object_table(const object_table&) = delete;
  object_table& operator=(const object_table&) = delete;

  /// Lets readers find a sealed object. Returns `no_slot` if its window is full. REQUIRES: not
  /// published at present, `place` is well-formed in the arena's heap, its bytes are written.
  [[nodiscard]] slot_handle publish(const object_id& id, const arena_place& place);

  // -- of a published object: REQUIRE its slot --------------------------------

  /// Returns whether the object has readers; if so, the last one will report.
  [[nodiscard]] pin_state look(slot_handle slot);

  /// Takes the object from readers, and the slot back, if no reader has it. Otherwise nothing
  /// changes, but the last reader will report.
  [[nodiscard]] reclaim_result try_withdraw(slot_handle slot);

  /// Refuses new readers from now on. The slot is empty again with `reclaimed`. Otherwise the last
  /// reader will report, and then this is called again.
  [[nodiscard]] reclaim_result doom(slot_handle slot);

  /// Returns whether a reader came by since this was asked last.
  [[nodiscard]] bool take_read_mark(slot_handle slot);

  // -- after a reader's death -------------------------------------------------

  /// Returns the objects that wait for a report and have no readers any more. To be asked when
  /// reports may have been lost: after a reader's death, or the end of a connection to one. Those
  /// that still have readers will be reported by the last of them, even if their mark was spent on
  /// a report that was lost. O(capacity), and O(1) if none waits for a report.
  [[nodiscard]] std::vector<object_id> drained();

  /// Returns whether a reader has any object pinned at this moment. O(capacity).
  [[nodiscard]] bool has_readers() const noexcept;

  // -- properties -------------------------------------------------------------

  /// Returns how many processes have the object pinned at this moment.
  [[nodiscard]] std::uint32_t count_readers(slot_handle slot) const noexcept;

  /// Returns which processes have the object pinned at this moment.
  [[nodiscard]] reader_set readers_of(slot_handle slot) const noexcept;

  [[nodiscard]] object_table_stats stats() const noexcept {
    return {used_slots_, entries_.size(), publish_misses_, awaited_};
  }

private:
  enum class slot_state : std::uint8_t {
    empty = 0, ///< lowered to by `reclaimed`
    published, ///< raised by `publish`; by `look` and `drained` when no reader was left
    watched,   ///< raised when found pinned: a report is due
    doomed     ///< raised by `doom` when found pinned: a report is due
  };

  struct entry {
    object_id id;
    std::uint32_t neighbours = 0; ///< raised by `publish`, lowered by `reclaimed`; of this home
    slot_state state = slot_state::empty;
  };

  [[nodiscard]] entry& used_entry(slot_handle slot);
  [[nodiscard]] arena_slot& shared(slot_handle slot) const noexcept;
  void set_state(entry& of, slot_state state) noexcept;
  void flip_neighbour(const object_id& id, std::uint64_t index);
  reclaim_result settle(slot_handle slot, reclaim_result result, slot_state if_pinned);

  arena_range heap_;
  std::span<arena_slot> slots_;
  zeroed_array<entry> entries_; ///< what this process knows of each slot
  std::size_t used_slots_ = 0;  ///< raised by `publish`, lowered by `reclaimed`
  std::size_t awaited_ = 0;     ///< those watched or doomed
  std::uint64_t publish_misses_ = 0;
};

} // namespace mobula

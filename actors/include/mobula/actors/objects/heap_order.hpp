#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>

#include "mobula/actors/objects/object_handle.hpp"
#include "mobula/actors/objects/stored_copy.hpp"
#include "mobula/store/heap/heap_relief.hpp"

namespace mobula {

/// What is kept in the process heap of an object.
enum class heap_content : std::uint8_t {
  decoded, ///< what was decoded of a value that can be decoded again
  value
};

/// Something that should leave the heap. The handle keeps the object meanwhile.
struct heap_victim {
  object_handle entry;
  heap_content content = heap_content::value;
  std::size_t bytes = 0;
};

/// What the entries of a stripe have in the process heap that could leave it, in the order of its
/// use: values that a shard takes or that another node has, and what was decoded of values. Under
/// the stripe's mutex, so that readers and the end of entries need no message; each function takes
/// it but those that say otherwise. Thread-safe. Nothing here blocks for longer than that mutex.
class heap_order {
public:
  /// REQUIRES: `mutex` is that of the stripe, which this is a part of.
  explicit heap_order(std::mutex& mutex) noexcept : mutex_(mutex) {
    // nop
  }

  heap_order(const heap_order&) = delete;
  heap_order& operator=(const heap_order&) = delete;

  // -- under the mutex, which the caller holds ----------------------------------------------------

  /// Takes up the value of an entry that was not visible yet or is being sealed, if it is in the
  /// heap. REQUIRES: the entry has a copy.
  void note_value(object_entry& entry) noexcept;

  /// Forgets the value of an entry that was not announced after all.
  void forget_value(stored_copy& copy) noexcept;

  /// The value is in a shard now; what was decoded of it may leave by itself again.
  void value_moved(stored_copy& copy) noexcept;

  // -- what comes, is used and ends ---------------------------------------------------------------

  /// The bytes of an entry's copy came to the heap again. Any thread that made it so.
  void back_in_heap(object_entry& entry) noexcept;

  /// Takes up what was decoded of an entry's value, which takes so many bytes of the heap; nothing
  /// of a small one, which never leaves, nor what is read in another node's arena or is given up
  /// there, which loses it by itself. REQUIRES: the caller holds a pin.
  void note_decoded(object_entry& entry, std::size_t bytes) noexcept;

  /// The last reader of a copy that was found pinned let go. A hint.
  void unpinned(stored_copy& copy) noexcept;

  /// The entry of the copy is about to be freed.
  void forget(stored_copy& copy) noexcept;

  // -- what leaves, as the heap's keeper asks -----------------------------------------------------

  /// Finds something to leave the heap, least recently used first, that nobody reads; nothing if
  /// there is none. The caller says how it ended.
  [[nodiscard]] std::optional<heap_victim> take_victim(heap_content content);

  /// What was asked to leave left in another way than into a shard, or stays.
  void leave_ended(object_entry& entry, heap_content content, heap_leave_end end) noexcept;

  /// The store may have space for what it refused.
  void retry_refused() noexcept;

  /// Values that were used may be spared anew.
  void begin_spell() noexcept;

  void check_invariants() const;

private:
  [[nodiscard]] heap_table& table_of(heap_content content) noexcept {
    return content == heap_content::value ? values_ : decoded_;
  }

  [[nodiscard]] bool may_leave(heap_part& part, heap_content content);

  std::mutex& mutex_;
  heap_table values_;
  heap_table decoded_;
};

} // namespace mobula

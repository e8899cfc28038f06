#pragma once

#include <cstddef>
#include <cstdint>

#include "mobula/store/shard/shard_effects.hpp"
#include "mobula/store/shard/use_list.hpp"

namespace mobula {

/// Where something in the process heap is on its way out.
enum class heap_state : std::uint8_t {
  out,     ///< not in the table
  idle,    ///< in the order of last use
  leaving, ///< asked to leave; the answer is on its way
  pinned,  ///< found pinned; its last reader will report
  refused  ///< there was no space for it elsewhere
};

/// Something in the heap that may leave it: a value, or what was decoded of one.
struct heap_item : use_links<heap_item> {
  std::size_t size_bytes = 0;
  heap_state state = heap_state::out;
  bool unpin_hint = false;     ///< `unpinned` came while it was leaving: a refusal is stale
  std::uint64_t spared_in = 0; ///< the spell of relief in which it was spared
};

/// What one stripe of a node has in the process heap and could do without there, in order of last
/// use.
///
/// An item's life:
///
/// 1. `made`: it is the youngest.
/// 2. It is the `oldest`. If it was used since it was looked at last, `spare` makes it the youngest
///    again, once in each spell of relief. If a reader has it, `found_pinned` takes it out of the
///    order until `unpinned`. Otherwise `leave` says that it was asked to go.
/// 3. `gone` ends it: it went, or what it belongs to ended. Or it stays: `stays_pinned`, then
///    `unpinned` brings it back as the youngest; `stays_refused`, then `retry_refused` brings it
///    back as the oldest.
///
/// Every item is in exactly one state, every state has a tally, and one function moves items
/// between states. The table owns no item; items stay where they are while they are in it. No
/// CAF, no clock, no I/O; for one thread at a time.
class heap_table {
public:
  heap_table() = default;
  heap_table(const heap_table&) = delete;
  heap_table& operator=(const heap_table&) = delete;

  /// The item is there, or is there anew. REQUIRES: it is not leaving.
  void made(heap_item& item, std::size_t size_bytes);

  /// The item is not there any more, or nobody needs to look after it. In any state.
  void gone(heap_item& item);

  /// Returns what should leave next, or null.
  [[nodiscard]] heap_item* oldest() const noexcept {
    return idle_.front();
  }

  /// Returns whether the item was spared in the current spell.
  [[nodiscard]] bool was_spared(const heap_item& item) const noexcept {
    return item.spared_in == spell_;
  }

  /// A new spell of relief begins: each item may be spared once more.
  void begin_spell() noexcept {
    ++spell_;
  }

  // -- of an idle item --------------------------------------------------------

  void spare(heap_item& item);
  void found_pinned(heap_item& item);
  void leave(heap_item& item);

  // -- of an item that was asked to leave -------------------------------------

  /// Readers have it; the last one will report, unless it has done so meanwhile.
  void stays_pinned(heap_item& item);

  /// There is no space for it elsewhere.
  void stays_refused(heap_item& item);

  // -- causes to try again ----------------------------------------------------

  /// A hint: it may be late.
  void unpinned(heap_item& item);

  /// There may be space now for what was refused.
  void retry_refused();

  // -- properties -------------------------------------------------------------

  [[nodiscard]] const object_tally& tally(heap_state state) const noexcept {
    return tallies_[static_cast<std::size_t>(state)];
  }

  /// Recomputes the sums of what is in order and asserts that they agree. O(n).
  void check_invariants() const;

private:
  void move(heap_item& item, heap_state to);

  use_list<heap_item> idle_;
  use_list<heap_item> refused_;
  object_tally tallies_[5]; ///< by state; nothing counts as `out`
  std::uint64_t spell_ = 1;
};

} // namespace mobula

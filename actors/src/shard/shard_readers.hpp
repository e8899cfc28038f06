#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "mobula/actors/messages/space_request.hpp"
#include "mobula/actors/objects/object_handle.hpp"
#include "mobula/actors/objects/stored_copy.hpp"
#include "mobula/actors/reports/node_stats.hpp"
#include "mobula/store/arena/arena_readers.hpp"
#include "mobula/store/arena/object_table.hpp"
#include "mobula/store/shard/shard_effects.hpp"
#include "mobula/store/transfer/copy_directory.hpp"

namespace mobula {

/// What a shard keeps of one object.
struct shard_slot {
  shard_slot(copy_pointer copy, object_entry* known) noexcept : copy(std::move(copy)) {
    if (known != nullptr)
      keep(*known);
  }

  /// The copy is that of `known`.
  void keep(object_entry& known) noexcept {
    known.add_use();
    entry.reset(&known);
  }

  /// Gives the copy memory that somebody else is about to fill.
  void lend_memory(arena_block memory) noexcept {
    copy->memory = copy_memory{std::move(memory)};
    in_transfer = true;
  }

  /// Frees the memory. REQUIRES: nobody else uses it any more.
  void take_memory_back() noexcept {
    in_transfer = false;
    copy->value.rebind({});
    copy->memory.reset();
  }

  /// Frees the memory when the shard ends, unless this process still uses it: then it goes with the
  /// last view, through the object's entry, or with the transfer. Other processes may go on
  /// reading it. REQUIRES: the heap is closed.
  void let_go() noexcept;

  copy_pointer copy;

  /// A use of the entry, so that it is there as long as the shard may speak to it, whatever ends
  /// its token. Null until an object is sealed for which a thread waited, and for what was pulled.
  release_token entry;

  /// Where processes of the host find the copy while it is in memory.
  slot_handle shown = no_slot;

  /// Set while the object waits for space: that of an actor, complete but for its place, or that of
  /// a thread, which has no entry yet.
  object_handle waiting;
  std::shared_ptr<space_request> reservation;

  /// Set while a value of the process heap waits for space here, or is being copied.
  object_handle leaving_heap;
  std::uint64_t frees_before = 0; ///< `value_heap::store_frees` when it began to wait

  /// Set while a pull waits for space. Such an object never has an entry here: the shard neither
  /// spills nor restores it.
  std::optional<request_token> pull;

  /// What was pulled, and what its owner calls this copy; unset for own objects.
  object_id pulled_from;
  copy_ticket ticket{};

  /// Set when the object is out of scope: its entry goes with the slot.
  release_token token;

  /// Set when the value was freed: keeps the entry until the slot goes.
  object_handle freed;

  /// Whether somebody else uses the copy's memory right now: the disk, a creator that was granted
  /// space, an actor that moves the object in.
  bool in_transfer = false;
};

/// Lets readers at a shard's copies, and takes copies back from them: readers of this process pin
/// through the copy's own word, those of others through the arena's object table. Memory is only
/// free when neither side reads it.
class shard_readers {
public:
  /// REQUIRES: the arena outlives this and stays where it is.
  shard_readers(const arena_segment& arena, std::uint32_t shard)
    : shown_(arena, shard), places_(arena) {
    // nop
  }

  /// Opens the copy for readers everywhere. REQUIRES: its bytes are in its memory, in the arena.
  void open(const object_id& id, shard_slot& held);

  /// Opens a copy that was pulled: others on the host read where it came from.
  void open_here(shard_slot& held);

  /// Lets other processes find a copy that is open in this one. Without a slot they ask the owner.
  void publish(const object_id& id, shard_slot& held);

  /// Takes the copy from all readers, if it has none. Otherwise the last one will report.
  [[nodiscard]] reclaim_result reclaim(shard_slot& held);

  /// Refuses new readers everywhere. Each side that still has some reports its last one, and is
  /// then asked again.
  [[nodiscard]] reclaim_result doom(shard_slot& held);

  /// Returns whether the copy has readers; if so, the last one will report.
  [[nodiscard]] pin_state look(shard_slot& held);

  /// Returns when the copy was last used. Other processes leave a mark instead of a stamp: for them
  /// it is `now`.
  [[nodiscard]] use_stamp last_use(shard_slot& held, use_stamp now);

  /// Returns the copies that wait for a report and have no reader in another process any more: to
  /// be asked after such a process died.
  [[nodiscard]] std::vector<object_id> drained() {
    return shown_.drained();
  }

  /// Returns whether a process other than this one reads any copy at this moment. O(slots).
  [[nodiscard]] bool has_readers_elsewhere() const noexcept {
    return shown_.has_readers();
  }

  /// Returns how many other processes read the copy at this moment.
  [[nodiscard]] std::uint32_t count_elsewhere(const shard_slot& held) const noexcept {
    return held.shown != no_slot ? shown_.count_readers(held.shown) : 0;
  }

  /// Returns their process ids.
  [[nodiscard]] std::vector<std::uint64_t> processes_elsewhere(const shard_slot& held) const {
    return held.shown != no_slot ? places_.processes_of(shown_.readers_of(held.shown))
                                 : std::vector<std::uint64_t>{};
  }

  void add_figures(node_stats& stats) const;

private:
  object_table shown_;
  arena_readers places_;
};

} // namespace mobula

// The life of an object in the store. Brackets name its `store_place`, and other fields of the
// table's parts that say so.
//
//  1. Waiting: its shard asked with `create`, and there is no space, or others wait for it already.
//     It is granted in its turn, refused, or canceled. [waiting, in queue_]
//  2. Reserved: `grant` counts its bytes as used, the shard takes memory of the arena for it, and a
//     creator, a mover or a pull writes. `memory_refused` leads back to 1 if the heap has no
//     extent, `abort` to 12. A creator with credit took that before, and begins at 3. [unsealed;
//     lent_bytes_]
//  3. Sealed: `seal`, or `add_sealed` for what was made with credit. Readers may come, and it
//     stands in the order of last use. [idle, in evictable_, spillable_ or set_aside_]
//  4. Asked: when space is short, the shard is asked from the least recently used on whether the
//     copy has readers (`check_idle`), and for its memory if it may go (`try_reclaim`). A copy that
//     was used since goes back to 3, as the youngest. [asked]
//  5. Pinned: the shard found readers (`reclaim_refused`). The last of them reports (`unpinned`),
//     which leads back to 3. [pinned]
//  6. Spilling: a primary without readers (`found_idle`) is written by the spill manager, and can
//     be read meanwhile. `spill_finished` leads to 3, where it is the next to be asked for its
//     memory, `spill_failed` to 3 as well. [spilling; has_record]
//  7. Evicted: the shard took the memory from readers and gave it back (`reclaim_succeeded`). A
//     secondary is gone, which is 12; a primary is on disk only. [spilled]
//  8. Wanted again: `request_copy` of what is on disk only waits for space like a create.
//     [restore_waiting, in queue_]
//  9. Restoring: space is granted, the shard gives memory, the spill manager reads. Leads to 3,
//     with the record still there, or back to 7; a record that is lost leads to 12. [restoring]
// 10. Released: its owner lets go (`release`), at any time. What has no memory goes at once, with
//     its record; what has is taken from new readers (`try_reclaim`), at once or when whoever
//     writes, reads or answers at that moment is done. [released, then releasing]
// 11. Doomed: somebody still reads it. The last of them reports, and it is asked for anew. [doomed]
// 12. Freed: the shard has given the memory back to the heap, the bytes count as free
//     (`free_copy`), and nothing is left of the object here. [not in objects_]

#pragma once

#include <cstddef>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/shard/disk_readiness.hpp"
#include "mobula/store/shard/heap_pieces.hpp"
#include "mobula/store/shard/shard_effects.hpp"
#include "mobula/store/shard/store_config.hpp"
#include "mobula/store/shard/store_exits.hpp"
#include "mobula/store/shard/store_object.hpp"
#include "mobula/store/shard/store_objects.hpp"
#include "mobula/store/shard/store_queue.hpp"
#include "mobula/store/shard/store_relief.hpp"
#include "mobula/store/shard/store_requests.hpp"
#include "mobula/store/shard/store_stalls.hpp"
#include "mobula/store/shard/store_status.hpp"

namespace mobula {

/// Plans a node's store: who gets space, and what moves out to make it.
///
/// *Shards.* Space, the queue of those who wait, and the order of last use belong to the store as a
/// whole, so that a request fails only where the whole store has no space for it. What is done with
/// an object - asking for its pins, giving it memory, writing and reading it - is for its shard,
/// which effects name. All shards share one table, one event at a time (`store_space`); an effect
/// may be caused by the event of another shard, so that each carries out what is due before it
/// tells of anything new.
///
/// *Order of measures*, once used is above the threshold or a request waits: credit is recalled,
/// all of it or, while nobody waits, what exceeds a part of the free space; secondaries, and
/// primaries that still have a spill record, are evicted; idle primaries are spilled. Each in order
/// of last use. What is under way counts as done when the rest is chosen.
///
/// *Last use* is learnt late: readers only leave a stamp. A copy that was touched since the table
/// last asked is spared and becomes the youngest, once in each spell of pressure; after that only
/// pins protect it, so that a spell costs at most two questions for each copy. A copy found
/// pinned leaves the order until its last reader reports.
///
/// *Fairness.* Requests are granted in order of arrival. While the oldest does not fit, younger
/// ones that do may overtake it, until they have taken as many bytes as it wants itself; from then
/// on whatever becomes free is kept for it. So a huge request waits for at most its own size of
/// others, and holds up small ones only while its own space is made.
///
/// *Memory in pieces.* The table counts bytes; whether they lie side by side, only the heap knows.
/// A grant or a restore for which the heap has no extent comes back (`memory_refused`) to its place
/// in the queue, and objects of its size wait until memory was freed. Meanwhile relief goes on
/// beyond the bytes that are wanted, one such size at a time, until an extent fits or nothing can
/// move any more.
///
/// *Nothing polls.* A request ends when space was made, or when the caller says `give_up` after
/// `report_stall`.
///
/// *Stalls.* One begins when somebody waits, and no answer, write or read is under way: only
/// readers, creators or a better disk can help. It goes on while copies are asked for again and
/// writes are tried again in vain, whoever of the three it is that could help by then; only what
/// makes space ends it: bytes that come back, a write or a read that succeeds, a creator of before
/// that seals. So who waits is refused when nothing has come of anything for as long as the caller
/// hopes. A write or a read that runs by then is let end first.
///
/// *The disk.* When a write fails, none is asked for until `spilling_possible`, but for an object
/// that is too large for what is left of the limit on disk: it and those of its size are set aside.
///
/// *Pins* are not kept here: whether a copy has readers is asked through effects. While a copy is
/// written it stays readable; its memory is asked for only when the write is done.
///
/// *Memory first.* Whoever may grant memory to another shard must find it in the heap: a copy's
/// memory goes back before the event that says so (`reclaim_succeeded`, `abort`, `restore_failed`,
/// `take_back`).
///
/// *Parts.* `store_objects` counts what there is, `store_queue` grants space, `store_relief` makes
/// it, `store_stalls` knows when nothing helps, `store_exits` lets objects go, `store_requests`
/// ends what waits, `store_status` tells how the store is doing; what is heard of the disk and of
/// the heap is in `disk_readiness` and `heap_pieces`.
///
/// Events append their effects to the caller's buffer, in the order in which they are to be carried
/// out. Answers may come at any time later, but exactly once.
class store_table {
public:
  explicit store_table(const store_config& config);

  store_table(const store_table&) = delete;
  store_table& operator=(const store_table&) = delete;

  // -- clients ----------------------------------------------------------------

  /// Asks for space for a new object. Ends in `grant_create` or `refuse_request`.
  void create(request_token token, const object_id& id, std::size_t size_bytes, copy_kind kind,
              store_effects& effects);

  /// The creator has filled the object. REQUIRES: granted, and not yet sealed or aborted.
  void seal(const object_id& id, store_effects& effects);

  /// The creator gave up or died, its memory is back in the heap. REQUIRES: as for `seal`.
  void abort(const object_id& id, store_effects& effects);

  /// Asks for the object in memory, restored if need be. Ends in `serve_copy` or `refuse_request`.
  void request_copy(request_token token, const object_id& id, store_effects& effects);

  /// The client of a waiting request went away. Ignored when the request has ended.
  void cancel(request_token token, store_effects& effects);

  /// The owner lets go of the object. Ignored when the store does not have it.
  void release(const object_id& id, store_effects& effects);

  // -- the heap ---------------------------------------------------------------

  /// Answers `grant_create` or `restore_object`: no extent of the heap is large enough. The request
  /// waits on. REQUIRES: the effect was the last that the caller carried out for the object.
  void memory_refused(const object_id& id, store_effects& effects);

  // -- credit -----------------------------------------------------------------

  /// Asks for space ahead of the objects that will fill it. Ends in `lend_credit`.
  void lend(std::size_t max_bytes, store_effects& effects);

  /// Credit comes back unasked, for instance from a creator that gave up. Memory that was taken for
  /// it is back in the heap.
  void take_back(std::size_t bytes, store_effects& effects);

  /// Answers `recall_credit` with what no creator had taken.
  void recall_answered(std::size_t bytes, store_effects& effects);

  /// A creator made and sealed an object in lent space. REQUIRES: the id is new here.
  void add_sealed(const object_id& id, std::size_t size_bytes, copy_kind kind,
                  store_effects& effects);

  // -- answers about pins -----------------------------------------------------

  /// The copy's memory is back in the heap.
  void reclaim_succeeded(const object_id& id, store_effects& effects);

  void reclaim_refused(const object_id& id, reclaim_obstacle obstacle, use_stamp last_use,
                       store_effects& effects);

  void found_idle(const object_id& id, store_effects& effects);

  /// A reader was told to report. Only a hint: it may be late, or about an earlier copy.
  void unpinned(const object_id& id, store_effects& effects);

  // -- answers from the spill manager -----------------------------------------

  void spill_finished(const object_id& id, store_effects& effects);

  void spill_failed(const object_id& id, spill_error error, spill_round round,
                    store_effects& effects);

  /// A disk that failed may be worth another try. It may have failed again by now, and what failed
  /// before may be told later.
  void spilling_possible(spill_round round, store_effects& effects);

  void restore_finished(const object_id& id, store_effects& effects);

  /// The copy's memory is back in the heap.
  void restore_failed(const object_id& id, restore_error error, store_effects& effects);

  // -- the caller's own -------------------------------------------------------

  /// Refuses what has waited since the stall began and still does not fit, as soon as no write or
  /// read is under way. Ignored if the stall is over.
  void give_up(stall_number number, store_effects& effects);

  /// Refuses what waits and what comes, releases every object.
  void shut_down(store_effects& effects);

  // -- properties -------------------------------------------------------------

  /// Readers leave a new stamp from now on, so that their uses and earlier ones are told apart. For
  /// inspection.
  void begin_use_period() noexcept {
    relief_.advance_stamp();
  }

  /// The stamp that readers leave from now on.
  [[nodiscard]] use_stamp current_stamp() const noexcept {
    return relief_.stamp();
  }

  [[nodiscard]] std::size_t used_bytes() const noexcept {
    return objects_.used_bytes();
  }

  /// Returns how much `lend` would give now.
  [[nodiscard]] std::size_t lendable_bytes() const noexcept;

  [[nodiscard]] pressure_level pressure() const noexcept {
    return status_.pressure();
  }

  [[nodiscard]] bool contains(const object_id& id) const {
    return objects_.all().contains(id);
  }

  [[nodiscard]] store_table_stats stats() const;

  [[nodiscard]] store_use use() const {
    return objects_.use();
  }

  /// Recomputes every sum and list from the objects and asserts that they agree. O(n).
  void check_invariants() const;

private:
  void settle(store_effects& effects);

  disk_readiness disk_;
  heap_pieces pieces_;
  store_objects objects_;
  store_table_stats counters_; ///< only its second half
  store_requests requests_;
  store_queue queue_;
  store_relief relief_;
  store_stalls stalls_;
  store_exits exits_;
  store_status status_;
};

} // namespace mobula

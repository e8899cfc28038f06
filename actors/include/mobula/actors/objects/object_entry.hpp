// The life of an entry, of this node's object or of a borrowed one. Brackets name what says so.
//
//  1. Made: `make` for an object of this node (a put, a builder, a promise, a successor), or
//     `make_borrowed` when a reference to another node's object comes in at the gateway. Until 3
//     it belongs to an `entry_draft`, whose end leads to 11. [state_ pending, handles_ 1, uses_ 1:
//     its token]
//  2. Given its value, if that goes into the process heap: the draft's `publish_inline` for less
//     than 4 KiB, behind the entry itself, else `publish_stored` for a copy that can move. A
//     promise, and a value that goes into the store, are announced without. [state_ inline_value;
//     its copy, stored]
//  3. Announced: `announce` puts the entry into its stripe's list, and from here on other threads
//     may see it. A borrowed entry is in the gateway's index instead, from its making. [slot_ and
//     entry_stripe::added_; reference_gateway::borrowed_]
//  4. Told of: the reference counter takes the list, and the owner makes a record. Of a borrowed
//     entry the cluster actor tells the borrow table, and that the owner, on its node.
//     [owner_table::objects_; channel::borrows of borrow_table]
//  5. Sealed, if it is still pending: `seal_inline`, `seal_stored` or `seal_failed`, by who wrote
//     the value, by the shard that had space for it, or with what another node sent. Waiters get
//     their pins under the stripe's mutex and are woken; the owner of a node's own object hears of
//     it. [state_, waiters_, entry_stripe::sealed_]
//  6. Read: each view is a use, and a pin of the copy if there is one. [uses_, stored_copy::pins]
//  7. Moved, as often as need be, though never under a pin: the heap's keeper sends a copy to a
//     shard, the shard to disk and back, and what came from another node is given up and fetched
//     anew. The phase stays `stored`. [stored_copy::in_heap, stored_copy::memory]
//  8. Ended before its references, perhaps: `lose` if the copy is lost or the owner is gone,
//     `free_value` if a user says so. The references inside of it live on. [state_ failed, freed]
//  9. Retired: the last handle goes. The token goes to the owner by way of the stripe, unless the
//     announcement is unsent: that is taken back, and the owner never hears of the object. The
//     token of a borrowed entry goes to the cluster actor, since the tables know the entry by its
//     address until they are told. [handles_ 0, entry_stripe::removed_; gateway_events::dropped]
// 10. Out of scope: the owner forgets its record, and releases the token. Whatever has a copy in a
//     shard takes its token there first, which ends it when the copy has no reader any more.
//     [shard_slot::token; one use less]
// 11. Freed: the last use goes, be it the token's, a view's or a shard's. `destroy` lets go of the
//     copy and of the references inside of the value, and the stripe counts the entry down: with
//     the last one of a node that has shut down, the node's core goes. [uses_ 0,
//     entry_stripe::live_]

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>

#include "mobula/actors/objects/call_site.hpp"
#include "mobula/actors/objects/entry_state.hpp"
#include "mobula/actors/objects/pinned_value.hpp"
#include "mobula/actors/objects/release_token.hpp"
#include "mobula/serialization/error.hpp"
#include "mobula/serialization/ids.hpp"

namespace mobula {

class entry_stripe;
class node_core;
class object_host;
class stored_copy;
struct wait_link;

/// Values below this size stay in the process heap; larger ones can leave it.
inline constexpr std::size_t least_movable_bytes = 4096;

/// Which node's object an entry stands for.
enum class entry_kind : std::uint8_t {
  /// This node's.
  own,
  /// Another node's, or one that does not exist any more.
  borrowed,
};

/// What a node knows of one object: one per node and object, shared by all `ObjectRef`s to it.
/// The bytes of an inline object that existed at construction follow the entry in memory. Where the
/// object was made stands before it, if its node records that: who does not ask for it pays
/// nothing.
///
/// An entry for another node's object is pending until the owner has told the value, or until it is
/// known that there will be none. Its owner is not told of handles by the reference counter, but by
/// the node's gateway, which gets the last one (see `reference_gateway`).
///
/// | field    | raised by                          | lowered by                      |
/// |----------|------------------------------------|---------------------------------|
/// | handles_ | `ObjectRef` copy, nested reference | their destruction               |
/// | uses_    | 1 for the token, 1 for each view   | end of the token, end of a view |
///
/// With the last handle the token goes to the owner as `remove_references`; with the last use the
/// memory is freed.
///
/// Thread-safe but where noted. Nothing here blocks for longer than a stripe's mutex.
class alignas(std::max_align_t) object_entry {
public:
  /// Makes an entry with one handle, in phase `pending`, with space for `capacity` bytes behind it,
  /// for the calling thread's stripe. Nobody but the caller knows it before it is announced.
  /// Remembers `where` if the node's options say so. Throws `std::bad_alloc`.
  static object_entry* make(entry_stripe& stripe, std::size_t capacity, const type_descriptor& type,
                            const call_site& where);

  /// Makes an entry for an object of another node, with one handle, in phase `pending`. Only the
  /// gateway does. Throws `std::bad_alloc`.
  static object_entry* make_borrowed(object_host& host, const object_id& id,
                                     const type_descriptor& type);

  object_entry(const object_entry&) = delete;
  object_entry& operator=(const object_entry&) = delete;

  // -- properties ---------------------------------------------------------------------------------

  [[nodiscard]] object_id id() const noexcept;

  [[nodiscard]] std::uint64_t sequence() const noexcept {
    return sequence_;
  }

  [[nodiscard]] entry_kind kind() const noexcept {
    return kind_;
  }

  /// The part of the node that looks after this entry.
  [[nodiscard]] entry_stripe& stripe() const noexcept {
    return *stripe_;
  }

  /// The node that this entry is on, which need not be the object's owner.
  [[nodiscard]] object_host& host() const noexcept;

  /// The same as what it is to those above this room; defined with that class.
  [[nodiscard]] node_core& core() const noexcept;

  /// Who sees a phase sees what belongs to it.
  [[nodiscard]] object_phase phase() const noexcept {
    return state_.phase();
  }

  /// Size of the value in bytes; 0 while there is none.
  [[nodiscard]] std::uint64_t size_bytes() const noexcept {
    return state_.size_bytes();
  }

  /// Returns whether there is no value and will never be one.
  [[nodiscard]] bool has_failed() const noexcept {
    return phase() >= object_phase::failed;
  }

  /// Returns what readers get in place of a value. REQUIRES: `has_failed()`.
  [[nodiscard]] error_info failure() const;

  /// The stored copy, or null for an object that is in no shard (yet). Set once, before the phase
  /// says `stored`, and never taken back: who has seen that phase, or a copy, finds it from then
  /// on, whatever becomes of the phase.
  [[nodiscard]] stored_copy* copy() const noexcept {
    return state_.copy();
  }

  /// Handles in this process; a snapshot.
  [[nodiscard]] std::uint32_t handles() const noexcept {
    return handles_.load(std::memory_order_relaxed);
  }

  /// Views of the value in this process, and what else pins it; a snapshot. REQUIRES: the token has
  /// not ended.
  [[nodiscard]] std::uint32_t views() const noexcept {
    return uses_.load(std::memory_order_relaxed) - 1;
  }

  /// Where the object was made; null if that was not recorded.
  [[nodiscard]] const call_site* made_at() const noexcept;

  /// The references inside of the value, also of one that was freed or lost: what it refers to
  /// lives as long as the entry. Empty while there is no value.
  [[nodiscard]] std::span<object_entry* const> contents() const noexcept {
    return state_.contents();
  }

  // -- handles and uses ---------------------------------------------------------------------------

  /// REQUIRES: the caller owns a handle. Relaxed: a new handle publishes nothing.
  void add_handle() noexcept {
    handles_.fetch_add(1, std::memory_order_relaxed);
  }

  /// Adds a handle unless there is none any more: the entry is dying then. REQUIRES: the entry's
  /// memory is there. Relaxed: as for `add_handle`; the entry was found under a mutex.
  [[nodiscard]] bool try_add_handle() noexcept {
    auto known = handles_.load(std::memory_order_relaxed);
    while (known != 0)
      if (handles_.compare_exchange_weak(known, known + 1, std::memory_order_relaxed))
        return true;
    return false;
  }

  /// Acquire-release: who drops the last handle must see what all others did before theirs.
  void drop_handle() noexcept {
    if (handles_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      last_handle_gone();
  }

  void add_use() noexcept {
    uses_.fetch_add(1, std::memory_order_relaxed);
  }

  /// Frees the entry with the last use, without recursion into nested references.
  void drop_use() noexcept {
    if (uses_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      destroy();
  }

  /// The type that the creator declared, also of an object that has no value (yet).
  [[nodiscard]] const type_descriptor& type() const noexcept {
    return state_.value().type();
  }

  // -- its memory ---------------------------------------------------------------------------------

  /// The bytes behind the entry. REQUIRES: `size` is at most the capacity given to `make`. Written
  /// before the entry is announced, by one thread.
  [[nodiscard]] std::span<std::byte> storage(std::size_t size) noexcept {
    return {reinterpret_cast<std::byte*>(this + 1), size};
  }

  // -- sealing a pending entry --------------------------------------------------------------------

  /// Each returns false if the entry was sealed already, and then changes nothing.
  bool seal_inline(std::unique_ptr<std::byte[]> buffer, std::size_t size,
                   std::unique_ptr<object_extras> extras, heap_charge charge);
  bool seal_stored(stored_copy& copy);
  bool seal_failed(error_info reason);

  // -- reading ------------------------------------------------------------------------------------

  /// Pins the value if it is in memory: one or two atomic operations, and some more for the first
  /// view of a value in another node's arena. Empty if the object is pending, failed, or on disk.
  [[nodiscard]] pinned_value try_pin() noexcept {
    if (phase() != object_phase::inline_value)
      return try_pin_movable();
    add_use();
    return {this, nullptr};
  }

  /// The copy is lost for good: readers get `reason` from here on.
  /// REQUIRES: called by the shard that holds the copy.
  void lose(error_info reason);

  // -- freeing ------------------------------------------------------------------------------------

  /// Takes the value away from readers that come later, and from those that wait: they get
  /// `object_freed`. Views stay as they are. A copy in a shard goes with its last view, a small
  /// value with its last reference. Says nothing to other nodes; see `free_object`.
  void free_value();

private:
  friend class entry_draft;
  friend class entry_stripe;
  friend class pinned_value;
  friend class waiting_readers;

  object_entry(entry_stripe& stripe, entry_kind kind, site_place site, std::uint64_t sequence,
               const type_descriptor& type) noexcept
    : kind_(kind), site_(site), stripe_(&stripe), sequence_(sequence), state_(type) {
    // nop
  }

  ~object_entry() = default;

  void last_handle_gone() noexcept;
  void destroy() noexcept;
  void free_memory() noexcept;

  /// What `try_pin` returns for an object whose value, if it has any, can move.
  [[nodiscard]] pinned_value try_pin_movable() noexcept;

  std::atomic<std::uint32_t> handles_ = 1;
  std::atomic<std::uint32_t> uses_ = 1;

  /// Where the announcement stands in the stripe while it is unsent. Written and read under the
  /// stripe's mutex.
  std::uint32_t slot_ = 0;

  const entry_kind kind_;
  const site_place site_;
  entry_stripe* stripe_;
  std::uint64_t sequence_;
  entry_state state_;

  /// Waiters of this entry. Written and read under the stripe's mutex.
  wait_link* waiters_ = nullptr;
};

inline object_value& pinned_value::value() const noexcept {
  return copy_ != nullptr ? value_of_copy() : entry_->state_.value();
}

} // namespace mobula

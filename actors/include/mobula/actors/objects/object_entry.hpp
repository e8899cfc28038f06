// The life of an entry, of this node's object or of a borrowed one. Brackets name what says so.
//
//  1. Made: `make` for an object of this node (a put, a builder, a promise, a successor), or
//     `make_borrowed` when a reference to another node's object comes in at the gateway. A maker
//     that fails calls `discard`, which leads to 11. [phase_ pending, handles_ 1, uses_ 1: its
//     token]
//  2. Given its value, if that goes into the process heap: `publish_inline` for less than 4 KiB,
//     behind the entry itself, else `publish_stored` for a copy that can move. A promise, and a
//     value that goes into the store, are announced without. [phase_ inline_value; copy_, stored]
//  3. Announced: `announce` puts the entry into its stripe's list, and from here on other threads
//     may see it. A borrowed entry is in the gateway's index instead, from its making. [slot_ and
//     entry_stripe::added_; reference_gateway::borrowed_]
//  4. Told of: the reference counter takes the list, and the owner makes a record. Of a borrowed
//     entry the cluster actor tells the borrow table, and that the owner, on its node.
//     [owner_table::objects_; channel::borrows of borrow_table]
//  5. Sealed, if it is still pending: `seal_inline`, `seal_stored` or `seal_failed`, by who wrote
//     the value, by the shard that had space for it, or with what another node sent. Waiters get
//     their pins under the stripe's mutex and are woken; the owner of a node's own object hears of
//     it. [phase_, waiters_, entry_stripe::sealed_]
//  6. Read: each view is a use, and a pin of the copy if there is one. [uses_, stored_copy::pins]
//  7. Moved, as often as need be, though never under a pin: the heap's keeper sends a copy to a
//     shard, the shard to disk and back, and what came from another node is given up and fetched
//     anew. The phase stays `stored`. [stored_copy::in_heap, stored_copy::memory]
//  8. Ended before its references, perhaps: `lose` if the copy is lost or the owner is gone,
//     `free_value` if a user says so. The references inside of it live on. [phase_ failed, freed]
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
#include "mobula/actors/objects/object_value.hpp"
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
enum class wait_goal : std::uint8_t;

/// Values below this size stay in the process heap; larger ones can leave it.
inline constexpr std::size_t least_movable_bytes = 4096;

/// Where the value of an object is, as its readers see it.
enum class object_phase : std::uint8_t {
  /// Not sealed yet. Leaves for any other phase, once.
  pending,
  /// In the process heap, behind the entry or in a buffer, for good: less than 4 KiB.
  inline_value,
  /// In a copy whose bytes can move. In a store shard, of this node or of another one of the host,
  /// which may have moved it to disk or, what was pulled from elsewhere, given it up. Or in the
  /// process heap (`stored_copy::in_heap`), up to the inline limit; what is above the heap's limit
  /// moves into a shard, and another node's value is given up. Becomes `failed` when the copy is
  /// lost.
  stored,
  /// There is an error in place of a value; final.
  failed,
  /// Somebody freed the value, though there are references; final. Any other phase but `failed`
  /// leads here.
  freed,
};

/// Which node's object an entry stands for.
enum class entry_kind : std::uint8_t {
  /// This node's.
  own,
  /// Another node's, or one that does not exist any more.
  borrowed,
};

/// Returns the name of `phase`.
std::string_view to_string(object_phase phase) noexcept;

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
  /// Makes an entry with one handle, in phase `pending`, with space for `capacity` bytes behind it.
  /// Nobody but the caller knows it before it is announced. Remembers `where` if the node's options
  /// say so. Throws `std::bad_alloc`.
  static object_entry* make(object_host& host, std::size_t capacity, const type_descriptor& type,
                            const call_site& where);

  /// The same, by who has asked for the calling thread's stripe already.
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

  /// What the shard that holds the copy calls it. REQUIRES: there is a copy in a shard of this
  /// node.
  [[nodiscard]] std::uint64_t number_in_shard() const noexcept;

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

  /// The acquire pairs with the release in `enter`: who sees a phase sees what belongs to it.
  [[nodiscard]] object_phase phase() const noexcept {
    return phase_.load(std::memory_order_acquire);
  }

  /// Size of the value in bytes; 0 while there is none.
  [[nodiscard]] std::uint64_t size_bytes() const noexcept;

  /// Returns whether there is no value and will never be one.
  [[nodiscard]] bool has_failed() const noexcept {
    return phase() >= object_phase::failed;
  }

  /// Returns what readers get in place of a value. REQUIRES: `has_failed()`.
  [[nodiscard]] error_info failure() const;

  /// The stored copy, or null for an object that is in no shard (yet). Set once, before the phase
  /// says `stored`, and never taken back: who has seen that phase, or a copy, finds it from then
  /// on, whatever becomes of the phase. The acquire pairs with the release in `set_copy`.
  [[nodiscard]] stored_copy* copy() const noexcept {
    return copy_.load(std::memory_order_acquire);
  }

  /// Returns whether a shard has the copy, which then has to be told of the object's end. Does not
  /// change while nobody has a handle.
  [[nodiscard]] bool in_shard() const noexcept;

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
  [[nodiscard]] std::span<object_entry* const> contents() const noexcept;

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
    return value_.type();
  }

  // -- before the entry is announced (one thread only) --------------------------------------------

  /// The bytes behind the entry. REQUIRES: `size` is at most the capacity given to `make`.
  [[nodiscard]] std::span<std::byte> storage(std::size_t size) noexcept {
    return {reinterpret_cast<std::byte*>(this + 1), size};
  }

  /// Makes the bytes behind the entry its value. REQUIRES: `charge` is for as many, and was taken
  /// by the thread that made the entry.
  void publish_inline(std::size_t size, std::unique_ptr<object_extras> extras,
                      heap_charge charge) noexcept;

  /// Makes `copy` its value and takes a count on it; `copy` carries bytes and type already.
  void publish_stored(stored_copy& copy) noexcept;

  /// Tells the owner of this entry; from here on, others may see it.
  void announce();

  /// Frees an entry that was never announced.
  void discard() noexcept;

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

  /// The copy came back to memory: wakes readers that wait for it, with a pin for each. If it has
  /// left again meanwhile, they wait on, and it is asked for once more.
  /// REQUIRES: called by the shard that holds the copy, by the heap's keeper while it is in the
  /// heap or, for another node's object, by the cluster actor, as the two below.
  void restored();

  /// The value cannot be brought to memory now: readers that wait for it get `reason`, later ones
  /// try anew. A waiter that does not read has heard that the object is there: the reason is kept
  /// for the next reader of a pending entry, which does not wait then. REQUIRES: called as
  /// `restored`.
  void refuse_readers(const error_info& reason);

  /// Forgets a reason that is kept for the next reader.
  void forget_refusal();

  /// The copy is lost for good: readers get `reason` from here on.
  /// REQUIRES: called by the shard that holds the copy.
  void lose(error_info reason);

  // -- freeing ------------------------------------------------------------------------------------

  /// Takes the value away from readers that come later, and from those that wait: they get
  /// `object_freed`. Views stay as they are. A copy in a shard goes with its last view, a small
  /// value with its last reference. Says nothing to other nodes; see `free_object`.
  void free_value();

private:
  friend class entry_stripe;
  friend class pinned_value;
  friend struct release_entry;
  friend class wait_group;

  /// Whether there is a `site_record` before an entry in its memory.
  enum class site_place : std::uint8_t { none, before_entry };

  /// Keeps what follows it aligned as an entry.
  struct alignas(std::max_align_t) site_record {
    call_site site;
  };

  object_entry(entry_stripe& stripe, entry_kind kind, site_place site, std::uint64_t sequence,
               const type_descriptor& type) noexcept
    : kind_(kind), site_(site), stripe_(&stripe), sequence_(sequence), value_(type) {
    // nop
  }

  ~object_entry() = default;

  /// Returns the reason that is kept for the next reader, or null. Reading takes it. REQUIRES: the
  /// stripe's mutex is held, and the entry is pending.
  [[nodiscard]] std::unique_ptr<error_info> kept_refusal(wait_goal goal);

  void last_handle_gone() noexcept;
  void destroy() noexcept;
  void free_memory() noexcept;

  /// Sets what readers of a stored value read and takes a count on it. REQUIRES: there is none.
  void set_copy(stored_copy& copy) noexcept;

  /// Gives a reader that waits for bytes a pin on them. Returns whether it is to be told now: not
  /// if they have left the memory meanwhile. REQUIRES: the stripe's mutex is held.
  [[nodiscard]] bool serve(wait_link& link) noexcept;

  /// What `try_pin` returns for an object whose value, if it has any, can move.
  [[nodiscard]] pinned_value try_pin_movable() noexcept;

  /// The release pairs with the acquire in `phase`.
  void enter(object_phase phase) noexcept {
    phase_.store(phase, std::memory_order_release);
  }

  std::atomic<std::uint32_t> handles_ = 1;
  std::atomic<std::uint32_t> uses_ = 1;

  /// Where the announcement stands in the stripe while it is unsent. Written and read under the
  /// stripe's mutex.
  std::uint32_t slot_ = 0;

  std::atomic<object_phase> phase_ = object_phase::pending;
  const entry_kind kind_;
  const site_place site_;
  entry_stripe* stripe_;
  std::uint64_t sequence_;
  object_value value_;
  std::atomic<stored_copy*> copy_ = nullptr;

  /// Waiters of this entry. Written and read under the stripe's mutex.
  wait_link* waiters_ = nullptr;
};

inline object_value& pinned_value::value() const noexcept {
  return copy_ != nullptr ? value_of_copy() : entry_->value_;
}

} // namespace mobula

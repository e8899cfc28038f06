#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mobula/actors/objects/borrowed_entries.hpp"
#include "mobula/actors/objects/nameable_entries.hpp"
#include "mobula/actors/objects/object_handle.hpp"
#include "mobula/actors/objects/object_host.hpp"
#include "mobula/actors/objects/type_descriptor.hpp"
#include "mobula/actors/protocol/references/reference_effects.hpp"
#include "mobula/serialization/ids.hpp"
#include "mobula/store/transfer/pull_effects.hpp"

namespace mobula {

/// A reference as it comes out of a message from another node.
struct incoming_reference {
  object_id object;
  const type_descriptor* type = nullptr; ///< never null
  incarnation_id sender;
  transit_number transit = transit_number::none;
};

/// A reference as it comes out of another node's value.
struct enclosed_reference {
  object_id object;
  const type_descriptor* type = nullptr; ///< never null
};

/// What stands in for a borrowed object towards other nodes.
struct known_successor {
  object_handle successor; ///< empty if nothing does
  bool needed = false;     ///< the owner is gone, and nothing stands in for the object yet
};

/// The events at the gateway since they were last taken.
struct gateway_events {
  /// For the protocol's tables.
  reference_traffic traffic;

  /// The entries that the traffic says were dropped: freed when this is destroyed, which must be
  /// after the tables were told, since until then their addresses are tokens there.
  std::vector<release_token> dropped;

  /// Borrowed objects that a reader waits for, each named once.
  std::vector<object_id> requested;

  /// Those of them, or of former ones, that have got a higher priority since.
  std::vector<object_id> raised;

  /// Own objects that the cluster actor waits for and that are there now.
  std::vector<std::uint64_t> ready;

  /// Own objects that others may name, and whose values were freed here.
  std::vector<std::uint64_t> freed;
};

/// Where references leave a node and enter it: what threads that serialize or deserialize messages
/// call, and what gathers this for the cluster actor, which alone speaks with other nodes.
///
/// Idea: the threads only take note, under one mutex; the cluster actor is woken at most once for
/// each time that it looks, at once if somebody waits for what it does then, else a little later:
/// references come and go in bursts, and what a burst brings is to make one message. It looks
/// before it handles anything else, so what was serialized or deserialized before a message is
/// known when that message is handled. One plain mutex is enough: who comes here has just encoded
/// or decoded a message, which costs more.
///
/// *Borrowed entries*: one living one for each object. An entry whose last handle goes at the same
/// time as a new reference arrives is on its way to `drop` and is replaced; the tables know both.
/// `drop` frees nothing: it hands the entry to the cluster actor, as its address is a token there.
///
/// *Successors* are own entries that stand in for borrowed ones whose owner is gone
/// (`successor_of`): such an entry is one that `borrowed_` does not know.
///
/// *Own entries* are found by their number if others may name them: while the tables keep a handle
/// on it, a value that other nodes have seen contains it, or it is a successor.
///
/// | field       | raised by                              | lowered by                   |
/// |-------------|----------------------------------------|------------------------------|
/// | borrowed_   | `import_reference`, `value_read`       | `drop`, `forget`             |
/// | own_        | kept: `open_transit`, `keep_own`;      | `release`, for each handle;  |
/// |             | shown: `show` of a container, `adopt`  | the container's end, `drop`  |
/// | successors_ | `adopt`                                | `drop` of the borrowed entry |
/// | events_     | threads                                | `take`                       |
///
/// *Bounds*: `borrowed_` by the node's borrowed entries, `own_` by the handles of the tables and
/// what the values of such objects contain, `successors_` by the borrowed entries, `events_` by
/// what happens until the cluster actor's turn.
class reference_gateway {
public:
  explicit reference_gateway(object_host& host) noexcept : host_(host) {
    // nop
  }

  reference_gateway(const reference_gateway&) = delete;
  reference_gateway& operator=(const reference_gateway&) = delete;

  // -- life ---------------------------------------------------------------------------------------

  /// The cluster actor runs: references may cross from now on. REQUIRES: called once.
  void open();

  /// Nobody asks any more: nothing crosses from now on, and borrowed entries free themselves.
  /// Returns what happened before.
  gateway_events close();

  [[nodiscard]] bool is_open() const;

  // -- any thread ---------------------------------------------------------------------------------

  /// A reference to `entry` is being serialized. Nothing if the gateway is not open. REQUIRES: the
  /// caller owns a handle; `entry` is on this node.
  [[nodiscard]] std::optional<transit_number> open_transit(object_entry& entry);

  /// What was serialized will not be sent.
  void cancel_transit(transit_number transit);

  /// A reference was deserialized. Returns a handle: on an entry that has failed if the object is
  /// this node's and does not exist. Empty if the gateway is not open.
  [[nodiscard]] object_handle import_reference(const incoming_reference& reference);

  /// The last handle of a borrowed entry is gone.
  void drop(object_entry& entry) noexcept;

  /// REQUIRES: the caller owns a handle; `entry` is a borrowed one.
  [[nodiscard]] known_successor find_successor(const object_entry& entry) const;

  /// Other nodes are to know the borrowed entry `orphan` as `successor` from now on. Returns the
  /// successor: the one given, unless another thread was faster.
  [[nodiscard]] object_handle adopt(const object_entry& orphan, object_handle successor);

  /// Somebody waits for the value of a borrowed entry. One request goes to its owner.
  void request(const object_entry& entry, pull_priority priority);

  /// An own object that the cluster actor waits for is there.
  void note_ready(std::uint64_t sequence);

  /// The value of `entry` was freed by a user of this node, and others are to hear of it.
  void note_freed(const object_entry& entry);

  /// Returns whether there is something to take.
  [[nodiscard]] bool has_events() const;

  // -- the cluster actor --------------------------------------------------------------------------

  [[nodiscard]] gateway_events take();

  /// Returns a handle on the living entry of a borrowed object, or an empty one.
  [[nodiscard]] object_handle find_borrowed(const object_id& object);

  /// Returns a handle on an own object that others may name, or an empty one.
  [[nodiscard]] object_handle find_own(std::uint64_t sequence);

  /// Returns how many handles the tables keep on an own object. For inspection.
  [[nodiscard]] std::uint32_t kept_handles(std::uint64_t sequence) const;

  /// The same for the tables: what they let go comes back in `release`.
  [[nodiscard]] kept_handle keep_own(std::uint64_t sequence);

  /// Gives back what the tables let go.
  void release(std::span<const kept_handle> handles);

  /// Other nodes see the value of the own object `container`: what it contains may be named from
  /// now on, as long as others may name the container.
  void show(const object_entry& container, std::span<object_entry* const> contents);

  /// The value of `outer` brought references along. Returns a handle for each, and has `outer` kept
  /// until their owners know.
  [[nodiscard]] std::vector<object_handle> value_read(const object_handle& outer,
                                                      std::span<const enclosed_reference> inner);

  /// The priority of a borrowed object's pull; that of a reader if nobody is known to wait.
  [[nodiscard]] pull_priority priority_of(const object_id& object) const;

  /// The owner could not reply with the value: the next reader sends a new request.
  void reset_request(const object_id& object);

  /// The entry has failed for good: references that arrive later get a new one.
  void forget(const object_entry& entry);

  /// Calls `f` with the entry of each borrowed object, under the mutex. For inspection: O(n).
  template <class F>
  void for_each_borrowed(F&& f) const {
    std::unique_lock guard{mutex_};
    borrowed_.for_each(std::forward<F>(f));
  }

  /// Asserts what must hold at any moment. O(n).
  void check_invariants() const;

private:
  enum class state : std::uint8_t { idle, open, closed };

  object_handle bind(const object_id& object, const type_descriptor& type);
  bool add_shown(object_entry& entry);
  void drop_shown(object_entry& entry, std::vector<object_entry*>& next);
  static void hide_all(std::vector<object_entry*> hidden);
  [[nodiscard]] std::optional<wake_time> take_note(wake_time when);
  void wake(std::optional<wake_time> needed) noexcept;

  object_host& host_;
  mutable std::mutex mutex_;
  state state_ = state::idle;
  std::optional<wake_time> noted_; ///< when the cluster actor is to look at `events_`; else empty
  borrowed_entries borrowed_;
  nameable_entries own_;
  std::unordered_map<const object_entry*, object_handle> successors_;
  gateway_events events_;
  std::uint64_t transits_ = 0; ///< counts, for their numbers
};

/// Frees the value of an object everywhere: here at once, and on other nodes when they hear of it.
/// REQUIRES: the caller owns a handle.
void free_object(object_entry& entry);

/// The entry behind a handle that the tables keep. REQUIRES: not none.
[[nodiscard]] inline object_entry& entry_of(kept_handle handle) noexcept {
  return *reinterpret_cast<object_entry*>(static_cast<std::uintptr_t>(handle));
}

/// The reverse, for a handle that the caller owns or is about to add.
[[nodiscard]] inline kept_handle kept_handle_of(object_entry& entry) noexcept {
  return kept_handle{reinterpret_cast<std::uintptr_t>(&entry)};
}

/// The entry behind a token. REQUIRES: the tables have not been told of its drop.
[[nodiscard]] inline object_entry& entry_of(entry_token token) noexcept {
  return *reinterpret_cast<object_entry*>(static_cast<std::uintptr_t>(token));
}

} // namespace mobula

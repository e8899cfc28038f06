#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/arena/arena_reader.hpp"
#include "mobula/store/heap/heap_budget.hpp"

namespace mobula {

class object_host;
class stored_copy;

/// Where the bytes of another node's object are that is not pulled: in its owner's arena, where
/// they are read, or in this process, because its owner told them in a message.
///
/// The idea: the copy's own pin word counts the views of this process, and the first of them takes
/// one pin in the arena for all, which the last one gives back. So the owner can move what nobody
/// reads at the moment, however many hold references to it, and a get of what it did not move needs
/// no message and no system call. (A pin for as long as there is a reference would fill the owner's
/// store with what it may not move.)
///
/// *Closed* is the copy's word while there is no pin in the arena. It is opened, with the bytes
/// where they are then, and closed only under the mutex; whoever finds it open takes no mutex. The
/// word is *watched* as long as it is open, so the last view comes to `settle`.
///
/// Bytes in this process need no pin of the arena: the word is open as long as they are here, and
/// closed when the heap gives them up (`drop_here`). The next view looks in the arena then, or has
/// the owner asked again.
///
/// *Lock order*: this mutex comes after a stripe's, and before none. So what was decoded of a value
/// dies outside of it: with it may die references, whose stripes have mutexes, and it may take
/// long.
class mapped_copy {
public:
  /// A place in an arena. REQUIRES: `slot` is pinned once, for this; the host outlives this.
  mapped_copy(object_host& host, std::shared_ptr<arena_reader> arena, const object_id& id,
              table_index slot) noexcept
    : host_(host), arena_(std::move(arena)), id_(id), slot_(slot) {
    // nop
  }

  /// A place in this process. REQUIRES: the host outlives this.
  mapped_copy(object_host& host, const object_id& id) noexcept : host_(host), id_(id) {
    // nop
  }

  mapped_copy(const mapped_copy&) = delete;
  mapped_copy& operator=(const mapped_copy&) = delete;

  /// Gives the arena's pin back, if there is one.
  ~mapped_copy();

  /// Opens a new copy, with one pin for the caller. REQUIRES: called once, before all others.
  void open(stored_copy& copy) noexcept;

  /// Pins the copy for the caller, where its owner has it now. Returns whether it was found.
  [[nodiscard]] bool pin(stored_copy& copy);

  /// The last view is gone: gives the arena's pin back, unless there is another view by now.
  void settle(stored_copy& copy) noexcept;

  /// Pins the copy for good, since its owner cannot be asked again. Returns whether it was found.
  [[nodiscard]] bool keep(stored_copy& copy);

  /// The owner sent the bytes: they are here from now on. Does nothing if they were found
  /// meanwhile. REQUIRES: as many as the copy has.
  void move_here(stored_copy& copy, std::unique_ptr<std::byte[]> bytes, heap_charge charge);

  /// Gives the bytes in this process up, unless somebody reads them. Returns whether they are gone.
  [[nodiscard]] bool drop_here(stored_copy& copy) noexcept;

private:
  void open_locked(stored_copy& copy) noexcept;
  bool pin_locked(stored_copy& copy);
  void unpin_slot() noexcept;

  std::mutex mutex_;
  object_host& host_;
  std::shared_ptr<arena_reader> arena_;
  object_id id_;
  std::optional<table_index> slot_;    ///< raised by `pin`, lowered by `settle`
  std::unique_ptr<std::byte[]> bytes_; ///< raised by `move_here`, lowered by `drop_here`
  heap_charge charge_;                 ///< of `bytes_`
};

} // namespace mobula

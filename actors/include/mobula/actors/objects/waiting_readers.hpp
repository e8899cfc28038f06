#pragma once

#include <cstdint>
#include <memory>

#include "mobula/actors/objects/object_entry.hpp"

namespace mobula {

struct wait_link;
enum class wait_goal : std::uint8_t;

/// The readers that wait for one entry, as those see them who bring its value to memory, and as a
/// reader does that joins them. A way to reach the entry: has nothing of its own, and the entry
/// must outlive it. Thread-safe but where noted. Nothing here blocks for longer than a stripe's
/// mutex.
class waiting_readers {
public:
  explicit waiting_readers(object_entry& entry) noexcept : entry_(entry) {
    // nop
  }

  // -- what becomes of the bytes ------------------------------------------------------------------

  /// The copy came back to memory: wakes readers that wait for it, with a pin for each. If it has
  /// left again meanwhile, they wait on, and it is asked for once more.
  /// REQUIRES: called by the shard that holds the copy, by the heap's keeper while it is in the
  /// heap or, for another node's object, by the cluster actor, as the one below.
  void restored();

  /// The value cannot be brought to memory now: readers that wait for it get `reason`, later ones
  /// try anew. A waiter that does not read has heard that the object is there: the reason is kept
  /// for the next reader of a pending entry, which does not wait then. REQUIRES: called as
  /// `restored`.
  void refuse(const error_info& reason);

  /// Forgets a reason that is kept for the next reader.
  void forget_refusal();

  // -- one reader: the stripe's mutex is held -----------------------------------------------------

  /// Gives a reader that waits for bytes a pin on them. Returns whether it is to be told now: not
  /// if they have left the memory meanwhile.
  [[nodiscard]] bool serve(wait_link& link) noexcept;

  /// Returns the reason that is kept for the next reader, or null. Reading takes it. REQUIRES: the
  /// entry is pending.
  [[nodiscard]] std::unique_ptr<error_info> kept_refusal(wait_goal goal);

private:
  object_entry& entry_;
};

} // namespace mobula

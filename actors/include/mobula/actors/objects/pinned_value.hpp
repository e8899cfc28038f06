#pragma once

#include <utility>

namespace mobula {

class object_entry;
class object_value;
class stored_copy;

/// Pins one readable value: while it lives, the bytes neither change nor move (I3). Movable, not
/// copyable, may outlive the reference it came from and the node.
class pinned_value {
public:
  pinned_value() noexcept = default;

  pinned_value(pinned_value&& other) noexcept
    : entry_(std::exchange(other.entry_, nullptr)), copy_(std::exchange(other.copy_, nullptr)) {
    // nop
  }

  pinned_value& operator=(pinned_value&& other) noexcept {
    std::swap(entry_, other.entry_);
    std::swap(copy_, other.copy_);
    return *this;
  }

  /// In line, since most that are destroyed were moved from.
  ~pinned_value() {
    if (entry_ != nullptr)
      unpin();
  }

  /// Returns another pin on the same value.
  [[nodiscard]] pinned_value clone() const noexcept;

  [[nodiscard]] explicit operator bool() const noexcept {
    return entry_ != nullptr;
  }

  /// REQUIRES: not empty.
  [[nodiscard]] object_value& value() const noexcept;

  /// Returns whether the value is that of a copy, whose bytes can move once it is not pinned.
  [[nodiscard]] bool stored() const noexcept {
    return copy_ != nullptr;
  }

  /// Returns whether the value is in the process heap. It stays there while this exists.
  [[nodiscard]] bool in_heap() const noexcept;

  /// REQUIRES: not empty.
  [[nodiscard]] object_entry& entry() const noexcept {
    return *entry_;
  }

private:
  friend class object_entry;

  /// Adopts one use of `entry` and, for a stored object, one pin of `copy`.
  pinned_value(object_entry* entry, stored_copy* copy) noexcept : entry_(entry), copy_(copy) {
    // nop
  }

  void unpin() noexcept;
  [[nodiscard]] object_value& value_of_copy() const noexcept;

  object_entry* entry_ = nullptr;
  stored_copy* copy_ = nullptr;
};

} // namespace mobula

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "mobula/actors/objects/object_value.hpp"
#include "mobula/serialization/error.hpp"

namespace mobula {

class stored_copy;

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

/// Returns the name of `phase`.
std::string_view to_string(object_phase phase) noexcept;

/// What an entry has of its object: the phase, and what belongs to that.
///
/// Readers in any thread look at the phase or at the copy first, and find what was written before
/// either. Who changes something is the only one who knows the entry, or holds the mutex of its
/// stripe; it does not block.
class entry_state {
public:
  explicit entry_state(const type_descriptor& type) noexcept : value_(type) {
    // nop
  }

  entry_state(const entry_state&) = delete;
  entry_state& operator=(const entry_state&) = delete;

  // -- reading ------------------------------------------------------------------------------------

  /// The acquire pairs with the release in `enter`: who sees a phase sees what belongs to it.
  [[nodiscard]] object_phase phase() const noexcept {
    return phase_.load(std::memory_order_acquire);
  }

  /// The stored copy, or null. Set once, before the phase says `stored`, and never taken back. The
  /// acquire pairs with the release in `set_copy`.
  [[nodiscard]] stored_copy* copy() const noexcept {
    return copy_.load(std::memory_order_acquire);
  }

  /// The value of an object in phase `inline_value`, and what stands in its place.
  [[nodiscard]] object_value& value() noexcept {
    return value_;
  }

  [[nodiscard]] const object_value& value() const noexcept {
    return value_;
  }

  /// Size of the value in bytes; 0 while there is none.
  [[nodiscard]] std::uint64_t size_bytes() const noexcept;

  /// The references inside of the value, also of one that was freed or lost. Empty while there is
  /// no value.
  [[nodiscard]] std::span<object_entry* const> contents() const noexcept;

  // -- phases -------------------------------------------------------------------------------------

  /// Sets what readers of a stored value read and takes a count on it. REQUIRES: there is none.
  void set_copy(stored_copy& copy) noexcept;

  /// REQUIRES: what belongs to `phase` is written. The release pairs with the acquire in `phase`.
  void enter(object_phase phase) noexcept {
    phase_.store(phase, std::memory_order_release);
  }

  /// Enters `inline_value`. REQUIRES: pending.
  void enter_inline(std::span<const std::byte> bytes,
                    std::unique_ptr<object_extras> extras) noexcept {
    value_.assign(bytes, std::move(extras));
    enter(object_phase::inline_value);
  }

  /// Enters `failed`. REQUIRES: pending or stored: readers of a stored object look at the copy's
  /// value, never at this one.
  void fail(error_info reason);

  // -- a refusal while there is no value ----------------------------------------------------------

  /// Keeps why the value cannot be had now. REQUIRES: pending. Nobody looks at the value of a
  /// pending entry: until there is one, it has space for this.
  void keep_refusal(const error_info& reason);

  /// Returns what is kept, or null. REQUIRES: pending.
  [[nodiscard]] const error_info* refusal() const noexcept;

  /// REQUIRES: pending.
  void forget_refusal() noexcept;

private:
  std::atomic<object_phase> phase_ = object_phase::pending;
  object_value value_;
  std::atomic<stored_copy*> copy_ = nullptr;
};

} // namespace mobula

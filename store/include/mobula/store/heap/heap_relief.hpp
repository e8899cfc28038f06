#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "mobula/store/shard/shard_effects.hpp"

namespace mobula {

struct heap_relief_config {
  std::uint64_t limit_bytes = 0;
  /// Above this share of the limit values leave the heap, down to `low_water`.
  double threshold = 0.8;
  double low_water = 0.7;
  /// How many values may be on their way out at once. Bounds what waits for space in the store.
  std::size_t max_leaving = 1024;
};

/// How an attempt to have something leave the heap ended.
enum class heap_leave_end : std::uint8_t {
  left,    ///< its memory is free, or will be with its last view
  pinned,  ///< readers have it
  refused, ///< there was no space for it elsewhere
  kept     ///< it never can
};

// -- effects --------------------------------------------------------------------

/// Which parts of the heap may be chosen.
enum class heap_choice : std::uint8_t {
  all,
  decoded ///< what stands beside the bytes that it was decoded of: it needs no space elsewhere
};

/// Asks for victims of so many bytes, least recently used first; answered once by `chosen`, before
/// any other event.
struct choose_victims {
  std::size_t bytes;
  std::size_t max_objects;
  heap_choice among;
};

/// Lets those who wait try again.
struct wake_heap_waiters {};

/// Says that nothing leaves the heap any more and somebody waits. The caller decides how long to
/// wait, then says `give_up` with this number; it is out of date after any progress.
struct report_heap_stall {
  stall_number number;
};

/// Ends the waiting of the first so many of those who wait, in an error.
struct refuse_heap_waiters {
  std::size_t count;
};

using heap_effect =
  std::variant<choose_victims, wake_heap_waiters, report_heap_stall, refuse_heap_waiters>;
using heap_effects = std::vector<heap_effect>;

/// Decides when values leave the process heap, and how many; and what becomes of those who wait for
/// space in it.
///
/// *Measures.* Above the threshold, or while somebody waits, victims are chosen until the heap will
/// be at its low-water mark, once those leave that are on their way.
///
/// *Nothing polls.* When nothing is left to choose, the next look comes with a cause: a new value,
/// an unpin, the end of an attempt. When the store refused a value, only what was decoded is chosen
/// until it has space again, or until somebody waits and nothing is on its way out any more.
///
/// *Waiting.* Who waits is let try again when there is space, and waits anew if somebody else was
/// faster. When the store has refused a value, and the rest of what was on its way has ended as
/// well, those are refused for whom it was tried: who came later waits for an attempt of its own.
/// If nothing is on its way out, `give_up` refuses all who wait.
///
/// No CAF, no clock, no I/O. Events append their effects to the caller's buffer.
class heap_relief {
public:
  explicit heap_relief(const heap_relief_config& config);

  heap_relief(const heap_relief&) = delete;
  heap_relief& operator=(const heap_relief&) = delete;

  /// So much is in use; something has changed that may matter.
  void looked(std::uint64_t used_bytes, heap_effects& effects);

  /// Answers `choose_victims`: so many were asked to leave. Fewer bytes than were asked for say
  /// that there are no more, unless as many objects as allowed were chosen.
  void chosen(const object_tally& victims, heap_effects& effects);

  /// An attempt ended; so much is in use now.
  void leave_ended(std::size_t bytes, heap_leave_end end, std::uint64_t used_bytes,
                   heap_effects& effects);

  /// Somebody waits for space. Ends in `wake_heap_waiters` or `refuse_heap_waiters`.
  void await_space(std::size_t bytes, std::uint64_t used_bytes, heap_effects& effects);

  /// The store may have space for what it refused.
  void store_has_space(std::uint64_t used_bytes, heap_effects& effects);

  /// Refuses those who wait since the stall began.
  void give_up(stall_number number, heap_effects& effects);

  // -- properties -------------------------------------------------------------

  /// Returns whether a change in the heap matters: values leave, or somebody waits.
  [[nodiscard]] bool watches() const noexcept {
    return relieving_ || waiting_ > 0;
  }

  [[nodiscard]] const object_tally& leaving() const noexcept {
    return leaving_;
  }

  [[nodiscard]] std::size_t waiting() const noexcept {
    return waiting_;
  }

  /// Returns whether `give_up` would end a stall.
  [[nodiscard]] bool stalled() const noexcept {
    return stall_.has_value();
  }

  /// Returns whether the store refused a value since it last had space.
  [[nodiscard]] bool refused() const noexcept {
    return refused_;
  }

private:
  void settle(heap_effects& effects);
  [[nodiscard]] std::size_t missing_bytes() const noexcept;
  void choose(heap_effects& effects);
  void expect_more() noexcept;
  void serve_waiting(heap_effects& effects);
  void watch_stall(heap_effects& effects);
  void refuse_tried(heap_effects& effects);
  void refuse_first(std::size_t count, heap_effects& effects);

  heap_relief_config config_;
  std::uint64_t threshold_bytes_;
  std::uint64_t low_water_bytes_;
  std::uint64_t used_bytes_ = 0;
  object_tally leaving_;        ///< raised by `chosen`, lowered by `leave_ended`
  std::size_t asked_bytes_ = 0; ///< by the latest `choose_victims`, until `chosen`
  std::size_t asked_objects_ = 0;
  bool choosing_ = false;  ///< `chosen` is on its way
  bool relieving_ = false; ///< above the threshold, or not yet down to the low-water mark
  heap_choice asked_among_{};
  bool exhausted_ = false;         ///< there was nothing more to choose
  bool decoded_exhausted_ = false; ///< nor among what was decoded
  bool refused_ = false;           ///< raised by a refusal, lowered by space in the store
  bool may_insist_ = false;        ///< somebody came to wait since the refusal
  std::size_t waiting_ = 0;
  std::size_t least_wanted_ = 0; ///< of those who wait
  std::size_t tried_for_ = 0;    ///< the first of those who wait: something was chosen since
  bool tried_in_vain_ = false;   ///< the store refused some of what is on its way
  std::optional<stall_number> stall_;
  std::size_t stalls_ = 0;
};

} // namespace mobula

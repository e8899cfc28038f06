#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "mobula/store/pin_word.hpp"

namespace mobula {

/// How far a creator may get ahead of the shard. One that may wait keeps within a bound: memory
/// that it drops comes back through the shard, and who runs ahead takes ever more that nobody has
/// touched yet. One that must not wait takes what there is.
enum class creator_pace : std::uint8_t { bounded, unbounded };

/// What creators and readers need of a shard without asking it.
///
/// *Credit* is room that the shard lends ahead of need: a creator takes some with one atomic
/// operation and tells the shard afterwards, in the message that hands the sealed object over.
/// Written by creators (subtract) and the shard (add, take all back). A creator that gives up
/// returns what it took through the shard, with `return_credit`.
///
/// The *stamp* is what readers leave at a copy, so that the shard learns of its use. Written by the
/// shard only.
///
/// *Fill requests* keep one message to the filler under way at most.
///
/// Lives in one process, so no crash of a participant needs an answer.
class alignas(64) shard_front {
public:
  /// What the shard may not have seen yet of creators that keep a pace: about as much as caches
  /// hold, or some large objects.
  static constexpr std::uint64_t most_unsettled_bytes = 16ULL << 20U;
  static constexpr std::uint64_t most_unsettled_objects = 4;

  /// Takes `bytes` if there are as many, and the pace allows it. Relaxed: the room is a number; the
  /// memory itself passes through the message that hands the object over. The pace is a guess,
  /// since others may take meanwhile.
  [[nodiscard]] bool take(std::uint64_t bytes, creator_pace pace) noexcept {
    auto most = std::max(most_unsettled_bytes, most_unsettled_objects * bytes);
    if (pace == creator_pace::bounded && unsettled_.load(std::memory_order_relaxed) + bytes > most)
      return false;
    auto left = available_.load(std::memory_order_relaxed);
    while (left >= bytes)
      if (available_.compare_exchange_weak(left, left - bytes, std::memory_order_relaxed)) {
        unsettled_.fetch_add(bytes, std::memory_order_relaxed);
        return true;
      }
    return false;
  }

  /// Called by the shard when it hears what became of room that was taken.
  void settle(std::uint64_t bytes) noexcept {
    unsettled_.fetch_sub(bytes, std::memory_order_relaxed);
  }

  /// Called by the shard.
  void add(std::uint64_t bytes) noexcept {
    available_.fetch_add(bytes, std::memory_order_relaxed);
  }

  /// Takes all that is left back. Called by the shard.
  [[nodiscard]] std::uint64_t take_all() noexcept {
    return available_.exchange(0, std::memory_order_relaxed);
  }

  /// A snapshot.
  [[nodiscard]] std::uint64_t available() const noexcept {
    return available_.load(std::memory_order_relaxed);
  }

  [[nodiscard]] use_stamp stamp() const noexcept {
    return use_stamp{stamp_.load(std::memory_order_relaxed)};
  }

  /// Called by the shard. Relaxed: a hint for the eviction order that guards nothing.
  void set_stamp(use_stamp stamp) noexcept {
    stamp_.store(static_cast<std::uint32_t>(stamp), std::memory_order_relaxed);
  }

  /// Notes that the shard's stock of faulted-in memory is low. Returns whether the filler must be
  /// told: it was not since it last looked.
  [[nodiscard]] bool request_fill() noexcept {
    return !fill_requested_.exchange(true, std::memory_order_relaxed);
  }

  /// Called by the filler before it looks: a later request tells it again.
  void fill_begins() noexcept {
    fill_requested_.store(false, std::memory_order_relaxed);
  }

private:
  std::atomic<std::uint64_t> available_ = 0;
  std::atomic<std::uint64_t> unsettled_ = 0; ///< raised by `take`, lowered by `settle`
  std::atomic<std::uint32_t> stamp_ = 0;
  std::atomic<bool> fill_requested_ = false;
};

} // namespace mobula

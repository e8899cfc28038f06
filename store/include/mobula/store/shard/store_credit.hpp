#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "mobula/store/arena/pin_word.hpp"

namespace mobula {

/// How far a creator may get ahead of its shard. One that may wait keeps within a bound: memory
/// that it drops comes back through the shard, and who runs ahead takes ever more that nobody has
/// touched yet. One that must not wait takes what there is.
enum class creator_pace : std::uint8_t { bounded, unbounded };

/// What a shard may not have seen yet of its creators. Raised by creators that took space, lowered
/// by the shard that hears what became of it. Relaxed: a guess that only paces.
class alignas(64) shard_backlog {
public:
  /// Of creators that keep a pace: about as much as caches hold, or some large objects.
  static constexpr std::uint64_t max_bytes = 16ULL << 20U;
  static constexpr std::uint64_t max_objects = 4;

  [[nodiscard]] bool has_space_for(std::uint64_t bytes) const noexcept {
    auto most = std::max(max_bytes, max_objects * bytes);
    return bytes_.load(std::memory_order_relaxed) + bytes <= most;
  }

  void add(std::uint64_t bytes) noexcept {
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }

  /// Called by the shard.
  void settle(std::uint64_t bytes) noexcept {
    bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  }

private:
  std::atomic<std::uint64_t> bytes_ = 0;
};

/// What creators and readers need of the store without asking it.
///
/// *Credit* is space that the store lends ahead of need: a creator takes some with one atomic
/// operation, whatever shard its object is for, and tells that shard afterwards, in the message
/// that hands the sealed object over. Written by creators (subtract) and by `store_space`, under
/// its mutex (add, take all back). A creator that gives up returns what it took through the shard,
/// with `return_credit`.
///
/// The *stamp* is what readers leave at a copy, so that the store learns of its use. Written by
/// `store_space` only.
///
/// Lives in one process, so no crash of a participant needs an answer.
class store_credit {
public:
  /// Takes `bytes` if there are as many, and the pace allows it. Relaxed: the space is a number;
  /// the memory itself passes through the message that hands the object over. The pace is a guess,
  /// since others may take meanwhile.
  [[nodiscard]] bool take(std::uint64_t bytes, shard_backlog& backlog, creator_pace pace) noexcept {
    if (pace == creator_pace::bounded && !backlog.has_space_for(bytes))
      return false;
    auto left = available_.load(std::memory_order_relaxed);
    while (left >= bytes)
      if (available_.compare_exchange_weak(left, left - bytes, std::memory_order_relaxed)) {
        backlog.add(bytes);
        return true;
      }
    return false;
  }

  void add(std::uint64_t bytes) noexcept {
    available_.fetch_add(bytes, std::memory_order_relaxed);
  }

  /// Takes all that is left back.
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

  /// Relaxed: a hint for the eviction order that guards nothing.
  void set_stamp(use_stamp stamp) noexcept {
    auto value = static_cast<std::uint32_t>(stamp);
    // Reading first keeps the cache line shared among readers.
    if (stamp_.load(std::memory_order_relaxed) != value)
      stamp_.store(value, std::memory_order_relaxed);
  }

private:
  alignas(64) std::atomic<std::uint64_t> available_ = 0;
  alignas(64) std::atomic<std::uint32_t> stamp_ = 0;
};

} // namespace mobula

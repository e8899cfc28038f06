#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

/// What the threads of one stripe have taken of the process heap, and may still take without asking
/// anybody.
///
/// The idea: one signed word holds what is left of the bytes that the budget has granted. Taking
/// and giving back are one atomic step each, on a cache line that few threads share. Below zero the
/// stripe has taken more than it was granted, which only those do who must not wait.
///
/// Lifetime: what was taken may be given back when the node is gone. The budget's end adds
/// `closed`, less what was granted, so that the word says `closed` when nothing is taken any more:
/// who sees that frees the ledger.
class alignas(64) heap_ledger {
public:
  heap_ledger() = default;
  heap_ledger(const heap_ledger&) = delete;
  heap_ledger& operator=(const heap_ledger&) = delete;

  /// Takes `bytes` of what was granted, if there are as many. Relaxed: the bytes are a number, and
  /// guard nothing.
  [[nodiscard]] bool try_take(std::uint64_t bytes) noexcept {
    auto wanted = static_cast<std::int64_t>(bytes);
    auto left = left_.load(std::memory_order_relaxed);
    while (left >= wanted)
      if (left_.compare_exchange_weak(left, left - wanted, std::memory_order_relaxed))
        return true;
    return false;
  }

  /// Takes `bytes` in any case. Returns whether that is more than was granted.
  bool take_anyway(std::uint64_t bytes) noexcept {
    auto wanted = static_cast<std::int64_t>(bytes);
    return left_.fetch_sub(wanted, std::memory_order_relaxed) < wanted;
  }

  /// Acquire-release: who frees the ledger must see the last step of everybody else.
  void give_back(std::uint64_t bytes) noexcept {
    auto returned = static_cast<std::int64_t>(bytes);
    if (left_.fetch_add(returned, std::memory_order_acq_rel) + returned == closed)
      delete this;
  }

private:
  friend class heap_budget;

  static constexpr std::int64_t closed = std::int64_t{1} << 62U;

  ~heap_ledger() = default;

  std::atomic<std::int64_t> left_ = 0;
  std::int64_t granted_ = 0; ///< under the budget's mutex
};

/// Bytes of the process heap that were taken; gives them back at its end, which may be after the
/// node's.
class heap_charge {
public:
  heap_charge() noexcept = default;

  /// Adopts bytes that were taken.
  heap_charge(heap_ledger& ledger, std::uint64_t bytes) noexcept : ledger_(&ledger), bytes_(bytes) {
    // nop
  }

  heap_charge(heap_charge&& other) noexcept
    : ledger_(std::exchange(other.ledger_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {
    // nop
  }

  heap_charge& operator=(heap_charge&& other) noexcept {
    std::swap(ledger_, other.ledger_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  ~heap_charge() {
    if (ledger_ != nullptr && bytes_ != 0)
      ledger_->give_back(bytes_);
  }

  [[nodiscard]] explicit operator bool() const noexcept {
    return ledger_ != nullptr;
  }

  [[nodiscard]] std::uint64_t bytes() const noexcept {
    return bytes_;
  }

  /// Leaves it to the caller to give the bytes back.
  void release() noexcept {
    ledger_ = nullptr;
    bytes_ = 0;
  }

private:
  heap_ledger* ledger_ = nullptr;
  std::uint64_t bytes_ = 0;
};

/// How a request for bytes of the heap ended.
enum class heap_answer : std::uint8_t {
  taken,
  taken_above_threshold, ///< taken, and values should leave the heap
  full                   ///< not taken
};

/// Shares a node's part of the process heap out among its stripes: what values take that are not in
/// the store. Thread-safe.
///
/// *Accounting.* Each stripe is granted some bytes ahead of need, so that most values cost one
/// atomic step. What is granted never exceeds the limit, and what is taken never exceeds what is
/// granted, but for what was taken anyway (`heap_ledger::take_anyway`).
class heap_budget {
public:
  heap_budget(std::uint64_t limit_bytes, std::uint32_t stripes, double threshold = 0.8);

  heap_budget(const heap_budget&) = delete;
  heap_budget& operator=(const heap_budget&) = delete;

  ~heap_budget();

  [[nodiscard]] heap_ledger& ledger(std::uint32_t stripe) noexcept {
    return *ledgers_[stripe];
  }

  /// Takes bytes for a stripe that has not enough of them left.
  [[nodiscard]] heap_answer take(heap_ledger& ledger, std::uint64_t bytes);

  /// Puts a stripe in order that took more than it was granted. Returns `taken` or
  /// `taken_above_threshold`.
  heap_answer settle(heap_ledger& ledger);

  /// Takes back what stripes were granted and do not use.
  void take_idle_back();

  /// Returns what is taken at this moment.
  [[nodiscard]] std::uint64_t used_bytes() const;

  [[nodiscard]] std::uint64_t limit_bytes() const noexcept {
    return static_cast<std::uint64_t>(limit_);
  }

private:
  void settle_locked(heap_ledger& ledger) noexcept;
  void take_idle_back_locked() noexcept;
  [[nodiscard]] std::int64_t used_locked() const noexcept;
  [[nodiscard]] heap_answer answer_locked() const noexcept;

  const std::int64_t limit_;
  const std::int64_t threshold_;
  const std::int64_t chunk_; ///< granted ahead of need
  mutable std::mutex mutex_;
  std::vector<heap_ledger*> ledgers_;
  std::int64_t granted_ = 0; ///< sum of the ledgers'
};

} // namespace mobula

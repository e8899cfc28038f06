#pragma once

#include <atomic>
#include <cstdint>

#include "mobula/actors/objects/entry_stripe.hpp"
#include "mobula/actors/objects/object_host.hpp"
#include "mobula/store/heap/heap_budget.hpp"

namespace mobula {

/// What a node's values take of the process heap, and whether its keeper waits for the store to
/// have space. Each stripe has a ledger of its own, so that threads rarely meet. Thread-safe.
class value_heap {
public:
  /// REQUIRES: the host outlives this.
  value_heap(object_host& host, std::uint64_t limit_bytes)
    : host_(host), limits_(limit_bytes, stripe_count) {
    // nop
  }

  value_heap(const value_heap&) = delete;
  value_heap& operator=(const value_heap&) = delete;

  [[nodiscard]] heap_budget& limits() noexcept {
    return limits_;
  }

  [[nodiscard]] const heap_budget& limits() const noexcept {
    return limits_;
  }

  /// Takes bytes of the heap for a value, for the calling thread's stripe; empty if there are none.
  [[nodiscard]] heap_charge try_take(std::uint64_t bytes) {
    auto& ledger = host_.local_stripe().ledger();
    if (ledger.try_take(bytes)) [[likely]]
      return {ledger, bytes};
    return take_slowly(ledger, bytes);
  }

  /// Takes them in any case: for who must not wait, and has the bytes already.
  [[nodiscard]] heap_charge take_anyway(std::uint64_t bytes) {
    auto& ledger = host_.local_stripe().ledger();
    if (ledger.take_anyway(bytes))
      settle(ledger);
    return {ledger, bytes};
  }

  /// Called by the keeper: the store has refused a value of the heap, and whichever shard frees
  /// memory from here on is to tell. Returns whether none did since `frees` were counted.
  /// Sequentially consistent, as the other side: of two that come at once, one sees the other.
  [[nodiscard]] bool await_store_free(std::uint64_t frees) noexcept {
    refused_.store(true);
    return store_frees_.load() == frees;
  }

  /// Called by a shard that has freed memory; returns whether the keeper is to be told.
  [[nodiscard]] bool count_store_free() noexcept {
    store_frees_.fetch_add(1);
    return refused_.load() && refused_.exchange(false);
  }

  [[nodiscard]] std::uint64_t store_frees() const noexcept {
    return store_frees_.load();
  }

private:
  heap_charge take_slowly(heap_ledger& ledger, std::uint64_t bytes);
  void settle(heap_ledger& ledger);

  object_host& host_;
  heap_budget limits_;

  // What shards write: a cache line apart.
  alignas(64) std::atomic<std::uint64_t> store_frees_ = 0; ///< by all shards
  std::atomic<bool> refused_ = false; ///< the keeper waits for the next of `store_frees_`
};

} // namespace mobula

// How the heap's limit is shared out: few threads meet at the mutex, since each stripe is granted a
// good piece at a time.

#include "mobula/store/heap/heap_budget.hpp"

#include <algorithm>

namespace mobula {

namespace {

/// Large enough that threads come here seldom, and small enough that what stripes do not use is
/// little of the limit: a sixteenth with sixteen stripes.
std::int64_t chunk_of(std::uint64_t limit_bytes) {
  constexpr std::uint64_t most = std::uint64_t{1} << 20U;
  return static_cast<std::int64_t>(std::min(most, limit_bytes / 256));
}

} // namespace

heap_budget::heap_budget(std::uint64_t limit_bytes, std::uint32_t stripes, double threshold)
  : limit_(static_cast<std::int64_t>(limit_bytes)),
    threshold_(static_cast<std::int64_t>(static_cast<double>(limit_bytes) * threshold)),
    chunk_(chunk_of(limit_bytes)) {
  ledgers_.reserve(stripes);
  for (std::uint32_t index = 0; index < stripes; ++index)
    ledgers_.push_back(new heap_ledger);
}

heap_budget::~heap_budget() {
  for (auto* ledger : ledgers_)
    ledger->give_back(static_cast<std::uint64_t>(heap_ledger::closed - ledger->granted_));
}

heap_answer heap_budget::take(heap_ledger& ledger, std::uint64_t bytes) {
  std::unique_lock guard{mutex_};
  for (auto* each : ledgers_)
    settle_locked(*each);
  auto wanted = static_cast<std::int64_t>(bytes);
  // What the stripe has left is part of what is granted: it is used first.
  if (limit_ - granted_ < wanted)
    take_idle_back_locked();
  auto free = limit_ - granted_;
  if (free < wanted)
    return heap_answer::full;
  auto grant = std::min(free, wanted + chunk_);
  granted_ += grant;
  ledger.granted_ += grant;
  ledger.left_.fetch_add(grant - wanted, std::memory_order_relaxed);
  return answer_locked();
}

heap_answer heap_budget::settle(heap_ledger& ledger) {
  std::unique_lock guard{mutex_};
  settle_locked(ledger);
  return answer_locked();
}

void heap_budget::take_idle_back() {
  std::unique_lock guard{mutex_};
  take_idle_back_locked();
}

std::uint64_t heap_budget::used_bytes() const {
  std::unique_lock guard{mutex_};
  return static_cast<std::uint64_t>(std::max<std::int64_t>(used_locked(), 0));
}

/// Grants what was taken without a grant.
void heap_budget::settle_locked(heap_ledger& ledger) noexcept {
  auto left = ledger.left_.load(std::memory_order_relaxed);
  if (left >= 0)
    return;
  granted_ -= left;
  ledger.granted_ -= left;
  ledger.left_.fetch_sub(left, std::memory_order_relaxed);
}

void heap_budget::take_idle_back_locked() noexcept {
  for (auto* ledger : ledgers_) {
    auto left = ledger->left_.exchange(0, std::memory_order_relaxed);
    granted_ -= left;
    ledger->granted_ -= left;
  }
}

std::int64_t heap_budget::used_locked() const noexcept {
  auto used = granted_;
  for (const auto* ledger : ledgers_)
    used -= ledger->left_.load(std::memory_order_relaxed);
  return used;
}

heap_answer heap_budget::answer_locked() const noexcept {
  return used_locked() > threshold_ ? heap_answer::taken_above_threshold : heap_answer::taken;
}

} // namespace mobula

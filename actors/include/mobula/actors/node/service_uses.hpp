#pragma once

#include <atomic>
#include <cstdint>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

/// Counts who holds a node's core, and who is about to send to its services: any thread that drops
/// a handle or a view may be, at a time when another one has the node end.
///
/// The idea: a node that ends waits for its services, and then for those that still use them; who
/// comes later is refused. To look whether the services are there, and to send then, is not enough:
/// they, and the actor system with them, may be gone in between. A use is a count as well, since
/// what it sends may hold the last other one. Both stand in one word, so that a use costs two
/// atomic steps.
class service_uses {
public:
  /// What a use ends with.
  enum class end : std::uint8_t {
    counted,   ///< nothing more is to be done
    last,      ///< it was the last count
    announced, ///< somebody waits for the uses to end: `end_announced` is to follow, and `drop`
  };

  /// REQUIRES: the caller has a count, as for `try_use`. Relaxed: a new count publishes nothing.
  void add() noexcept {
    word_.fetch_add(one_count, std::memory_order_relaxed);
  }

  /// Returns whether it was the last count. Acquire-release: who has the last one sees what all
  /// others did with theirs.
  [[nodiscard]] bool drop() noexcept {
    return (word_.fetch_sub(one_count, std::memory_order_acq_rel) & count_mask) == 1;
  }

  /// Takes a count and a use unless there are no services any more.
  [[nodiscard]] bool try_use() noexcept {
    auto seen = word_.load(std::memory_order_relaxed);
    while ((seen & gone) == 0)
      // Acquire: what a service was made of is seen by who sends to it.
      if (word_.compare_exchange_weak(seen, seen + one_use + one_count, std::memory_order_acquire,
                                      std::memory_order_relaxed))
        return true;
    return false;
  }

  /// Gives back what `try_use` took.
  [[nodiscard]] end end_use() noexcept {
    auto seen = word_.load(std::memory_order_relaxed);
    while ((seen & gone) == 0)
      if (word_.compare_exchange_weak(seen, seen - one_use - one_count, std::memory_order_acq_rel,
                                      std::memory_order_relaxed))
        return (seen & count_mask) == 1 ? end::last : end::counted;
    return end::announced;
  }

  /// Gives the use back whose end is waited for, but not its count. REQUIRES: called under the
  /// mutex that the waiting thread uses, which is told then.
  void end_announced() noexcept {
    auto before = word_.fetch_sub(one_use, std::memory_order_acq_rel);
    MOBULA_ASSERT((before & use_mask) != 0);
  }

  /// The services have ended: refuses uses from here on.
  void services_ended() noexcept {
    word_.fetch_or(gone, std::memory_order_acq_rel);
  }

  [[nodiscard]] bool have_ended() const noexcept {
    return (word_.load(std::memory_order_acquire) & gone) != 0;
  }

  /// Returns whether anybody may still send. Acquire: what a use did has happened before its end is
  /// seen.
  [[nodiscard]] bool in_use() const noexcept {
    return (word_.load(std::memory_order_acquire) & use_mask) != 0;
  }

private:
  static constexpr std::uint64_t one_count = 1;
  static constexpr std::uint64_t count_mask = (std::uint64_t{1} << 32U) - 1;
  static constexpr std::uint64_t one_use = std::uint64_t{1} << 32U;
  static constexpr std::uint64_t gone = std::uint64_t{1} << 63U;
  static constexpr std::uint64_t use_mask = ~(gone | count_mask);

  std::atomic<std::uint64_t> word_ = one_count;
};

} // namespace mobula

#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include <caf/actor_control_block.hpp>
#include <caf/message_id.hpp>

#include "mobula/actors/caf/caf_clock.hpp"
#include "mobula/actors/caf/test_scheduler.hpp"
#include "mobula/actors/objects/entry_stripe.hpp"

namespace mobula {

/// Readers' side of waiting: watches some objects and fires once, when enough of them are there.
/// Nothing polls: who seals an object tells the groups that watch it.
///
/// *There* is an object that a reader need not wait for: it has a value or an error, it cannot be
/// brought here now (refused), or its node shuts down. So `wait` and `get` agree.
///
/// Lifetime: counted. A sealing thread that has detached a link holds a count of its own, so a
/// cancelled group outlives the notification that was already under way.
class wait_group {
public:
  wait_group(const wait_group&) = delete;
  wait_group& operator=(const wait_group&) = delete;

  virtual ~wait_group();

  /// Watches `entries` (duplicates allowed; each must have a handle until `cancel` returns), to
  /// fire when `needed` of them are there. Calls `fire` itself if they already are. Call once.
  void arm(std::span<object_entry* const> entries, std::size_t needed, wait_goal goal);

  /// Stops watching; from here on nobody writes what is taken below. `fire` may still run if it was
  /// about to.
  void cancel() noexcept;

  /// Returns the pin taken for entry `index`, if any. REQUIRES: cancelled.
  [[nodiscard]] pinned_value take_pin(std::size_t index) noexcept;

  /// Returns why the bytes of entry `index` cannot be had, or null. REQUIRES: cancelled.
  [[nodiscard]] std::unique_ptr<error_info> take_failure(std::size_t index) noexcept;

  /// Returns whether the bytes of entry `index` cannot be had: reading it would not wait but fail.
  /// REQUIRES: canceled.
  [[nodiscard]] bool refused(std::size_t index) const noexcept;

  void add_ref() noexcept {
    references_.fetch_add(1, std::memory_order_relaxed);
  }

  void drop_ref() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete this;
  }

  /// One watched object is there, or its node shuts down, so that reading it fails at once. Called
  /// by who made it so, outside of any mutex.
  void notify();

  /// The wait is over whatever is there.
  void abort();

protected:
  wait_group() = default;

  /// Called once, by any thread, outside of any mutex.
  virtual void fire() = 0;

private:
  void watch(wait_link& link);
  void fire_once();

  std::unique_ptr<wait_link[]> links_;
  std::size_t size_ = 0;
  std::atomic<std::int64_t> missing_ = 0;
  std::atomic<bool> has_fired_ = false;
  std::atomic<std::uint32_t> references_ = 1;
};

/// Owns one count of a wait group and cancels it at the end.
struct cancel_wait {
  void operator()(wait_group* group) const noexcept {
    group->cancel();
    group->drop_ref();
  }
};

template <class T>
using wait_handle = std::unique_ptr<T, cancel_wait>;

/// Lets a thread that is no actor wait.
class blocking_wait final : public wait_group {
public:
  /// Blocks until fired or until `deadline` (none: for ever). On a node under CAF's test
  /// coordinator the calling thread runs the simulation meanwhile; `would_block_forever` says that
  /// nothing there can change any more.
  enum class result : std::uint8_t { fired, timed_out, would_block_forever };
  result wait(node_core& core, std::optional<caf_clock::time_point> deadline);

  [[nodiscard]] bool fired() const;

private:
  void fire() override;
  result simulate(simulation_scheduler& scheduler, std::optional<caf_clock::time_point> deadline);

  mutable std::mutex mutex_;
  std::condition_variable condition_;
  bool fired_ = false;
};

/// Lets an actor wait: answers a request id of the actor with `objects_ready`.
class actor_wait final : public wait_group {
public:
  actor_wait(caf::strong_actor_ptr receiver, caf::message_id request) noexcept
    : receiver_(std::move(receiver)), request_(request) {
    // nop
  }

private:
  void fire() override;

  caf::strong_actor_ptr receiver_;
  caf::message_id request_;
};

} // namespace mobula

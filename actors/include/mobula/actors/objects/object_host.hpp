#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>

#include <caf/intrusive_ptr.hpp>

#include "mobula/actors/objects/host_constants.hpp"
#include "mobula/actors/objects/release_token.hpp"
#include "mobula/serialization/error.hpp"
#include "mobula/serialization/ids.hpp"

namespace mobula {

class entry_stripe;
class object_entry;
class object_handle;
class reference_gateway;
class store_credit;
enum class wait_goal : std::uint8_t;

/// Stripes of a node: enough that a few dozen threads rarely meet.
inline constexpr std::uint32_t stripe_count = 16;

/// When the cluster actor is to take the gateway's events.
enum class wake_time : std::uint8_t { soon, now };

/// What the entries of a node, their copies and their readers ask of it, and have it tell its
/// services: all that this room knows of a node.
///
/// What each put, get and drop asks is read here, in line, and was set when the node was made. What
/// costs a message anyway is virtual. Counted: what may outlive the node holds a count.
/// Thread-safe.
class object_host : public host_constants {
public:
  // -- lifetime -----------------------------------------------------------------------------------

  virtual void add_ref() noexcept = 0;

  /// In a forked child, nothing of its parent's is freed.
  virtual void drop_ref() noexcept = 0;

  // -- properties ---------------------------------------------------------------------------------

  /// Returns whether the node is of no use any more: shutdown has begun, a service has died, or
  /// this is another process. Relaxed is enough: who must not miss it (a waiter) asks its stripe
  /// under the mutex.
  [[nodiscard]] bool closing() const noexcept {
    return closing_.load(std::memory_order_relaxed) || !at_home();
  }

  /// Where errors of this node come from.
  [[nodiscard]] virtual error_origin origin() const = 0;

  /// The error that everything gets once the node is closing: says why it is.
  [[nodiscard]] virtual error_info shutting_down_error() const = 0;

  // -- parts --------------------------------------------------------------------------------------

  /// The stripe of the calling thread.
  [[nodiscard]] entry_stripe& local_stripe() noexcept {
    return *stripes_[stripe_of_thread()];
  }

  /// Where references of this node leave and enter.
  [[nodiscard]] reference_gateway& gateway() noexcept {
    return *gateway_;
  }

  /// The space that the store lends, and the stamp that readers leave at copies.
  [[nodiscard]] store_credit& credit() noexcept {
    return *credit_;
  }

  // -- what entries have to tell ------------------------------------------------------------------

  /// Sees to it that the reference counter looks at the stripes soon. Throws `std::bad_alloc`; the
  /// next to ask tells it then.
  void request_flush() {
    // The plain load spares the exchange in the common case. It cannot miss a flush that has begun:
    // the counter lowers the flag before it takes a stripe's mutex, and the caller has released
    // that mutex since.
    if (!flush_requested_.load(std::memory_order_relaxed) && !flush_requested_.exchange(true))
      send_flush();
  }

  /// Called by the reference counter before it looks: changes from here on ask anew.
  void flush_begins() noexcept {
    flush_requested_.store(false);
  }

  /// Asks the object's shard to free its copy; the token is released with it.
  virtual void release_stored(release_token token) noexcept = 0;

  /// Asks the object's shard to free the copy of an entry that lives on.
  virtual void free_stored(object_handle entry) = 0;

  /// The last handle of an entry of another node's object is gone.
  virtual void drop_borrowed(object_entry& entry) noexcept = 0;

  /// Asks for the value of a pending entry of another node's object: takes it from its owner's
  /// arena if it is there, else has the owner asked. Nothing is to be done for own objects, whose
  /// makers are at work. REQUIRES: the caller owns a handle.
  virtual void fetch(object_entry& entry, wait_goal goal) = 0;

  /// Asks for the bytes of a stored entry to be brought to memory, and its readers to be woken
  /// then.
  virtual void request_restore(const object_entry& entry) = 0;

  /// Tells who waits for it that the last reader of the copy of `entry` is gone.
  virtual void report_unpinned(object_entry& entry) noexcept = 0;

  /// Tells a shard that the last reader of a copy is gone, which it knows by this number.
  virtual void copy_unpinned(std::uint32_t shard, std::uint64_t number) noexcept = 0;

  /// Has the shard of another node of the host told the same.
  virtual void report_unpinned_elsewhere(const object_id& object) noexcept = 0;

  /// Bytes of the heap were given back: tells the keeper if somebody waits for them.
  void heap_freed() noexcept {
    if (heap_awaited_.load(std::memory_order_relaxed)) [[unlikely]]
      wake_heap_keeper();
  }

  /// Something could leave the heap now: tells the keeper if it would like to know.
  void heap_unpinned() noexcept {
    if (heap_watched_.load(std::memory_order_relaxed)) [[unlikely]]
      wake_heap_keeper();
  }

  /// Sees to it that the keeper looks at the heap soon.
  virtual void wake_heap_keeper() noexcept = 0;

  /// Has the cluster actor take the gateway's events. Called by the gateway, once for each time
  /// until it looks. In a simulation it looks at once, since clocks stand still there.
  virtual void wake_cluster(wake_time when) noexcept = 0;

  // -- answers ------------------------------------------------------------------------------------

  /// Blocks until `is_there()` holds for an answer of the services, until `limit` is over, or until
  /// they have ended or were left behind, and nobody answers any more. Returns whether it is there.
  /// REQUIRES: whoever answers calls `answer_given` afterwards; not in a simulation, which the
  /// caller has to run; not called by a service.
  [[nodiscard]] virtual bool
  await_answer(const std::function<bool()>& is_there,
               std::chrono::nanoseconds limit = std::chrono::nanoseconds::max()) = 0;

  /// Has those who wait for an answer look for theirs.
  virtual void answer_given() noexcept = 0;

protected:
  object_host(const incarnation_id& incarnation, simulation_scheduler* simulation,
              call_site_recording call_sites) noexcept
    : host_constants(incarnation, simulation, call_sites) {
    // nop
  }

  ~object_host() = default;

  /// REQUIRES: called once for each stripe, before there are entries; it lives as long as the host,
  /// as do the parts below.
  void set_stripe(std::uint32_t index, entry_stripe& stripe) noexcept {
    stripes_[index] = &stripe;
  }

  void set_gateway(reference_gateway& gateway) noexcept {
    gateway_ = &gateway;
  }

  void set_credit(store_credit& credit) noexcept {
    credit_ = &credit;
  }

  void begin_closing() noexcept {
    closing_.store(true);
  }

  /// The same as `closing` in the node's own process, ordered with `begin_closing`.
  [[nodiscard]] bool closing_begun() const noexcept {
    return closing_.load();
  }

  /// What the heap's keeper wants to hear of: that something could leave the heap, and that bytes
  /// of it were given back. Relaxed: it looks once more after this, and again before it refuses
  /// anybody.
  void watch_heap(bool unpinned, bool freed) noexcept {
    heap_watched_.store(unpinned, std::memory_order_relaxed);
    heap_awaited_.store(freed, std::memory_order_relaxed);
  }

  /// Tells the reference counter to look at the stripes. Throws `std::bad_alloc` if nobody was
  /// told.
  virtual void send_flush() = 0;

private:
  /// Threads take stripes in turn; a thread keeps its own for all nodes.
  [[nodiscard]] static std::uint32_t stripe_of_thread() noexcept;

  // What each put, get and end of an entry reads, and hardly anybody writes; on the same cache line
  // as the host's constants.
  std::atomic<bool> closing_ = false;
  std::atomic<bool> heap_watched_ = false;
  std::atomic<bool> heap_awaited_ = false;
  reference_gateway* gateway_ = nullptr;
  store_credit* credit_ = nullptr;
  std::array<entry_stripe*, stripe_count> stripes_{};

  // What messages write: a cache line apart.
  alignas(64) std::atomic<bool> flush_requested_ = false;
};

inline void intrusive_ptr_add_ref(object_host* host) noexcept {
  host->add_ref();
}

inline void intrusive_ptr_release(object_host* host) noexcept {
  host->drop_ref();
}

/// Owns one count of a host.
using host_pointer = caf::intrusive_ptr<object_host>;

} // namespace mobula

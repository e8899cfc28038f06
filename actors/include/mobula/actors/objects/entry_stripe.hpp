#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "mobula/actors/objects/heap_order.hpp"
#include "mobula/actors/objects/object_entry.hpp"
#include "mobula/actors/objects/object_host.hpp"
#include "mobula/actors/objects/wait_list.hpp"
#include "mobula/actors/protocol/ownership/object_record.hpp"
#include "mobula/store/heap/heap_budget.hpp"

namespace mobula {

/// What a stripe has gathered for the owner since it was last asked.
struct reference_changes {
  std::vector<object_record> added;
  std::vector<object_record> sealed;
  std::vector<release_token> removed;

  [[nodiscard]] bool empty() const noexcept {
    return added.empty() && sealed.empty() && removed.empty();
  }
};

/// A slice of a node's entries: what their owner has not been told yet, who waits for them, and how
/// many there are. Threads spread over stripes, so that they rarely meet at one mutex.
///
/// Idea: an entry's announcement stays in `added_` until the reference counter asks for it. A last
/// handle that goes before then takes the announcement back, and the owner never hears of the
/// object. An announcement is unsent if it still stands where its entry says.
///
/// Order: a removal always follows its announcement, since an unsent announcement is taken back
/// instead; a seal likewise. Hence announcements go first, then seals, then removals.
class alignas(64) entry_stripe {
public:
  entry_stripe() = default;
  entry_stripe(const entry_stripe&) = delete;
  entry_stripe& operator=(const entry_stripe&) = delete;

  /// REQUIRES: called once, before use. The stripe holds a count of `host` until it is closed and
  /// its last entry is gone.
  void attach(object_host& host, std::uint32_t index, heap_ledger& ledger) noexcept {
    host_ = &host;
    index_ = index;
    ledger_ = &ledger;
  }

  static constexpr std::uint32_t count = stripe_count;

  [[nodiscard]] object_host& host() const noexcept {
    return *host_;
  }

  /// The same as what it is to those above this room; defined with that class.
  [[nodiscard]] node_core& core() const noexcept;

  /// Counts one more entry. Returns a fresh sequence number for it: the stripe in the low four
  /// bits, so that stripes never give the same one and numbers of one stripe are dense above them.
  std::uint64_t enlist();

  /// Counts one more entry, of an object that has its number from another node.
  void enlist_borrowed();

  /// Forgets an entry whose memory was freed, with so many bytes of a value behind it.
  void delist(std::size_t heap_bytes) noexcept;

  /// Takes note of an entry that the owner must learn of.
  void announce(object_entry& entry);

  // -- the process heap ---------------------------------------------------------------------------

  /// What this stripe's values take of the heap's limit.
  [[nodiscard]] heap_ledger& ledger() const noexcept {
    return *ledger_;
  }

  /// What its entries have in the heap that could leave it.
  [[nodiscard]] heap_order& order() noexcept {
    return order_;
  }

  [[nodiscard]] const heap_order& order() const noexcept {
    return order_;
  }

  /// A value is in a shard now; the owner is told. REQUIRES: its copy says so already.
  void moved_to_store(object_entry& entry);

  // -- handles ------------------------------------------------------------------------------------

  /// Handles the end of an entry's last handle.
  void retire(object_entry& entry) noexcept;

  /// Seals `entry` by calling `publish` if it is pending; tells waiters and owner. Returns whether
  /// it was pending.
  template <class F>
  bool seal(object_entry& entry, F&& publish) {
    return seal(entry, std::forward<F>(publish), [](wait_link&) { return true; });
  }

  /// The same, and calls `prepare` on each waiter, which returns whether that is told now; the
  /// others wait on.
  template <class F, class G>
  bool seal(object_entry& entry, F&& publish, G&& prepare) {
    woken_links woken;
    {
      std::unique_lock guard{mutex_};
      if (entry.phase() != object_phase::pending)
        return false;
      publish();
      note_seal(entry);
      waiters_.detach_if(entry.waiters_, woken, prepare);
    }
    wait_list::wake(woken);
    host_->request_flush();
    return true;
  }

  /// Takes all changes. Called by the reference counter only.
  void take(reference_changes& changes);

  /// Links `link` to its entry unless `done` (called under the mutex) says there is no need.
  /// Returns whether it was linked; false also when the stripe is closed to waiters.
  template <class F>
  bool link_unless(wait_link& link, F&& done) {
    std::unique_lock guard{mutex_};
    if (waiters_.refused() || done())
      return false;
    waiters_.attach(link, link.entry->waiters_);
    return true;
  }

  /// Unlinks `link` if it still is linked.
  void unlink(wait_link& link) noexcept;

  /// Calls `update` under the mutex, and wakes nobody.
  template <class F>
  void update_quietly(F&& update) {
    std::unique_lock guard{mutex_};
    update();
  }

  /// Calls `update` under the mutex, then `prepare` on each waiter of `entry`. Detaches those for
  /// which that returned true, and wakes them outside of the mutex.
  template <class F, class G>
  void update_and_wake(object_entry& entry, F&& update, G&& prepare) {
    woken_links woken;
    {
      std::unique_lock guard{mutex_};
      update();
      waiters_.detach_if(entry.waiters_, woken, prepare);
    }
    wait_list::wake(woken);
  }

  /// Wakes every waiter; later ones are refused.
  void refuse_waiters();

  /// Calls `f` with an entry, under the mutex; not once the stripe is closed, when entries end
  /// without their owner. Until then one that the owner knows is there, since its token comes to
  /// the owner before it ends. REQUIRES: called by the owner, which knows it as of this stripe.
  template <class F>
  void look_at(const object_entry& entry, F&& f) const {
    std::unique_lock guard{mutex_};
    if (!closed_)
      f(entry);
  }

  /// The stripe, of a node's, that gave the number.
  [[nodiscard]] static constexpr std::uint32_t index_of(std::uint64_t sequence) noexcept {
    return sequence % count;
  }

  /// Nobody takes changes any more: what is there is dropped, and removals, also later ones, free
  /// at once what no shard has.
  void close();

  /// Entries that exist; a snapshot.
  [[nodiscard]] std::size_t live() const;

  /// Waiters that are linked; a snapshot.
  [[nodiscard]] std::size_t waiting() const;

  /// Returns whether changes wait to be taken.
  [[nodiscard]] bool has_changes() const;

private:
  [[nodiscard]] bool is_unsent(const object_entry& entry) const noexcept {
    return entry.slot_ < added_.size() && added_[entry.slot_] == &entry;
  }

  void note_seal(object_entry& entry);
  void take_back(object_entry& entry) noexcept;
  void release_host_if_done(std::unique_lock<std::mutex>& guard) noexcept;

  // What every put and every end of an entry reads, and hardly anybody writes.
  object_host* host_ = nullptr;
  heap_ledger* ledger_ = nullptr;
  std::uint32_t index_ = 0;
  bool closed_ = false;
  bool host_released_ = false;

  // What they write: a cache line apart, since the other side's core has it.
  alignas(64) mutable std::mutex mutex_;
  std::size_t live_ = 0;
  std::uint64_t enlisted_ = 0;
  std::vector<object_entry*> added_;
  std::vector<release_token> removed_;
  wait_list waiters_;
  std::vector<object_record> sealed_;
  heap_order order_{mutex_};
};

/// Describes `entry` as the owner needs it.
object_record describe(const object_entry& entry) noexcept;

} // namespace mobula

#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "mobula/actors/node/cluster_place.hpp"
#include "mobula/actors/node/disk_trouble_board.hpp"
#include "mobula/actors/node/node_arena.hpp"
#include "mobula/actors/node/node_options.hpp"
#include "mobula/actors/node/value_heap.hpp"
#include "mobula/actors/objects/entry_stripe.hpp"
#include "mobula/actors/objects/reference_gateway.hpp"

namespace mobula {

class heap_relief;
class store_space;
struct reader_census;
struct reserve_heap_space;

/// What the parts of one node share: its options, its stripes of entries, its store, its process
/// heap; and what its bases add: the place among its cluster, the services' lives, the handles on
/// them, and what entries ask.
///
/// Lifetime: counted. The node, each service and each stripe that still has entries hold a count,
/// so handles and views may outlive the node, in any thread.
class node_core final : public cluster_place {
public:
  /// Makes a core and its arena, without services yet: `launch_node` adds them. Throws
  /// `object_error` when the arena cannot be made.
  static caf::intrusive_ptr<node_core> make(caf::actor_system& system, node_options options);

  node_core(const node_core&) = delete;
  node_core& operator=(const node_core&) = delete;

  /// Stops what was launched of a node that did not come to be, which frees it. REQUIRES: it has no
  /// entries.
  void give_up();

  // -- properties ---------------------------------------------------------------------------------

  [[nodiscard]] const node_options& options() const noexcept {
    return options_;
  }

  /// What the names of the node's files begin with: the cluster's name, and in simulations a number
  /// drawn by chance.
  [[nodiscard]] const std::string& file_label() const noexcept {
    return file_label_;
  }

  /// What to tell those whom the disks keep from going on.
  [[nodiscard]] disk_trouble_board& disk_news() noexcept {
    return disk_news_;
  }

  // -- entries ------------------------------------------------------------------------------------

  [[nodiscard]] std::array<entry_stripe, entry_stripe::count>& stripes() noexcept {
    return stripes_;
  }

  void release_stored(release_token token) noexcept override;
  void free_stored(object_handle entry) override;
  void drop_borrowed(object_entry& entry) noexcept override;
  void fetch(object_entry& entry, wait_goal goal) override;
  void request_restore(const object_entry& entry) override;
  void report_unpinned(object_entry& entry) noexcept override;
  void copy_unpinned(std::uint32_t shard, std::uint64_t number) noexcept override;
  void report_unpinned_elsewhere(const object_id& object) noexcept override;

  // -- the process heap ---------------------------------------------------------------------------

  /// What this node's values take of the process heap.
  [[nodiscard]] value_heap& heap_of_values() noexcept {
    return value_heap_;
  }

  /// Asks for space in the heap, unless the services are gone; the request is abandoned then.
  void request_heap_space(reserve_heap_space request);

  void wake_heap_keeper() noexcept override;

  /// Called by the keeper before it looks: changes from here on ask anew.
  void heap_look_begins() noexcept {
    heap_look_requested_.store(false);
  }

  /// Called by the keeper: it wants to hear of what concerns `relief`.
  void watch_heap(const heap_relief& relief) noexcept;

  // -- the cluster --------------------------------------------------------------------------------

  /// Remembers how a value is found in its owner's arena: a function that seals a pending borrowed
  /// entry with it, and returns whether it did, in any thread. REQUIRES: called once, before there
  /// are entries.
  void set_in_place_search(bool (*find)(object_entry& entry)) noexcept {
    find_in_place_ = find;
  }

  // -- the store ----------------------------------------------------------------------------------

  /// What the shards share: the space for stored objects, and who gets it.
  [[nodiscard]] store_space& space() noexcept {
    return *space_;
  }

  /// The memory of stored objects.
  [[nodiscard]] shared_heap& heap() noexcept {
    return *arena_.heap;
  }

  [[nodiscard]] const shared_heap& heap() const noexcept {
    return *arena_.heap;
  }

  [[nodiscard]] const arena_segment& arena() const noexcept {
    return *arena_.segment;
  }

  /// Drops what dead processes have pinned in the arena; each shard then asks for its drained
  /// copies. Thread-safe.
  reader_census clear_dead_readers();

  /// Tells the filler, if there is one, that less free memory is faulted in than `stock_of_heap`
  /// says; not again before it looks.
  void request_fill();

  /// Called by the filler before it looks: a later request tells it again.
  void fill_begins() noexcept {
    fill_requested_.store(false, std::memory_order_relaxed);
  }

  /// The shard that holds the object `sequence`, if it is large.
  [[nodiscard]] std::uint32_t shard_of(std::uint64_t sequence) const noexcept;

private:
  node_core(caf::actor_system& system, node_options options);
  ~node_core();

  void send_flush() override;
  void refuse_readers() override;
  void withdraw_arena() override;

  bool (*find_in_place_)(object_entry& entry) = nullptr;

  // What messages write: a cache line apart.
  alignas(64) std::atomic<bool> fill_requested_ = false;
  std::atomic<bool> heap_look_requested_ = false;

  alignas(64) node_options options_;
  std::string file_label_;
  value_heap value_heap_;
  std::array<entry_stripe, entry_stripe::count> stripes_;
  node_arena arena_;
  std::unique_ptr<store_space> space_; ///< never null; spares programs its headers
  std::mutex readers_mutex_;           ///< one census at a time
  reference_gateway gateway_{*this};
  disk_trouble_board disk_news_;
};

/// Returns what a node tells others of its own arena.
[[nodiscard]] arena_address own_arena(const node_core& core);

inline void intrusive_ptr_add_ref(node_core* core) noexcept {
  core->add_ref();
}

inline void intrusive_ptr_release(node_core* core) noexcept {
  core->drop_ref();
}

/// Owns one count of a core.
using core_pointer = caf::intrusive_ptr<node_core>;

} // namespace mobula

#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "mobula/actors/caf/caf_clock.hpp"
#include "mobula/actors/caf/test_scheduler.hpp"
#include "mobula/actors/cluster/cluster_actor.hpp"
#include "mobula/actors/heap/heap_keeper.hpp"
#include "mobula/actors/node/node_arena.hpp"
#include "mobula/actors/node/node_options.hpp"
#include "mobula/actors/node/service_kind.hpp"
#include "mobula/actors/node/service_uses.hpp"
#include "mobula/actors/objects/entry_stripe.hpp"
#include "mobula/actors/objects/peer_arenas.hpp"
#include "mobula/actors/objects/reference_gateway.hpp"
#include "mobula/actors/ownership/owner.hpp"
#include "mobula/actors/ownership/reference_counter.hpp"
#include "mobula/actors/shard/arena_filler.hpp"
#include "mobula/actors/shard/store_shard.hpp"
#include "mobula/actors/spill/spill_manager.hpp"
#include "mobula/actors/transfer/transfers.hpp"
#include "mobula/store/arena/arena_readers.hpp"
#include "mobula/store/heap/heap_budget.hpp"
#include "mobula/store/shard/store_space.hpp"
#include "mobula/store/spill/disk_failures.hpp"
#include "mobula/store/system/home_process.hpp"

namespace mobula {

/// What is to have happened when a call that closes the node's port returns.
enum class port_closing : std::uint8_t { begun, done };

/// What the parts of one node share: its name, its options, its stripes of entries, its services.
///
/// Lifetime: counted. The node, each service and each stripe that still has entries hold a count,
/// so handles and views may outlive the node, in any thread.
class node_core {
public:
  /// Makes a core and its arena, and starts its services. Throws `object_error` when the arena
  /// cannot be made or the spill directories cannot be used.
  static caf::intrusive_ptr<node_core> start(caf::actor_system& system, node_options options);

  node_core(const node_core&) = delete;
  node_core& operator=(const node_core&) = delete;

  void add_ref() noexcept {
    uses_.add();
  }

  /// In a forked child, nothing of its parent's is freed.
  void drop_ref() noexcept {
    if (uses_.drop() && at_home())
      delete this;
  }

  // -- properties ---------------------------------------------------------------------------------

  /// REQUIRES: the node has not shut down: the system may be gone afterwards.
  [[nodiscard]] caf::actor_system& system() const noexcept {
    return *system_;
  }

  [[nodiscard]] const node_options& options() const noexcept {
    return options_;
  }

  [[nodiscard]] const incarnation_id& incarnation() const noexcept {
    return incarnation_;
  }

  /// What the names of the node's files begin with: the cluster's name, and in simulations a number
  /// drawn by chance.
  [[nodiscard]] const std::string& file_label() const noexcept {
    return file_label_;
  }

  /// The time by the actor system's clock, which may be gone unless it is that of a simulation: all
  /// others run alike.
  [[nodiscard]] caf_clock::time_point now() const noexcept {
    return simulation_ != nullptr ? system_->clock().now() : caf_clock::now();
  }

  /// Returns whether the calling process is the node's own, and not a child that was forked of it:
  /// there the node has no services, its mutexes may be locked for ever, and its memory, files and
  /// connections are its parent's.
  [[nodiscard]] bool at_home() const noexcept {
    return home_.is_this();
  }

  /// Returns whether the node is of no use any more: shutdown has begun, a service has died, or
  /// this is another process. Relaxed is enough: who must not miss it (a waiter) asks its stripe
  /// under the mutex.
  [[nodiscard]] bool closing() const noexcept {
    return closing_.load(std::memory_order_relaxed) || !at_home();
  }

  /// The test coordinator that runs this node, or null.
  [[nodiscard]] simulation_scheduler* simulation() const noexcept {
    return simulation_;
  }

  /// The error that everything gets once the node is closing: says why it is.
  [[nodiscard]] error_info shutting_down_error() const;

  /// Keeps what to tell those whom the disks keep from going on. Any thread.
  void set_disk_trouble(disk_trouble news);

  [[nodiscard]] disk_trouble latest_disk_trouble() const;

  /// Throws this error in any process but the node's own.
  void require_home() const {
    if (!at_home()) [[unlikely]]
      throw object_error{shutting_down_error()};
  }

  /// Where errors of this node come from.
  [[nodiscard]] error_origin origin() const;

  // -- entries ------------------------------------------------------------------------------------

  /// The stripe of the calling thread.
  [[nodiscard]] entry_stripe& local_stripe() noexcept;

  [[nodiscard]] std::array<entry_stripe, entry_stripe::count>& stripes() noexcept {
    return stripes_;
  }

  /// Sees to it that the reference counter looks at the stripes soon.
  void request_flush();

  /// Asks the object's shard to free its copy; the token is released with it. Any thread.
  void release_stored(release_token token) noexcept;

  /// Asks the object's shard to wake the readers of `entry` when its bytes are in memory. Any
  /// thread.
  void request_restore(const object_entry& entry);

  /// Tells the shard of `copy` that its last reader is gone. Any thread.
  void report_unpinned(object_entry& entry) noexcept;

  /// Has the shard of another node of the host told the same. Any thread.
  void report_unpinned_elsewhere(const object_id& object) noexcept;

  /// Called by the reference counter before it looks: changes from here on ask anew.
  void flush_begins() noexcept {
    flush_requested_.store(false);
  }

  /// Where references of this node leave and enter.
  [[nodiscard]] reference_gateway& gateway() noexcept {
    return gateway_;
  }

  // -- the process heap ---------------------------------------------------------------------------

  /// What this node's values may take of the process heap.
  [[nodiscard]] heap_budget& heap_limits() noexcept {
    return heap_limits_;
  }

  /// Takes bytes of the heap for a value, for the calling thread's stripe; empty if there are none.
  [[nodiscard]] heap_charge try_take_heap(std::uint64_t bytes) {
    auto& ledger = local_stripe().ledger();
    if (ledger.try_take(bytes)) [[likely]]
      return {ledger, bytes};
    return take_heap_slowly(ledger, bytes);
  }

  /// Takes them in any case: for who must not wait, and has the bytes already.
  [[nodiscard]] heap_charge take_heap_anyway(std::uint64_t bytes) {
    auto& ledger = local_stripe().ledger();
    if (ledger.take_anyway(bytes))
      settle_heap(ledger);
    return {ledger, bytes};
  }

  /// Asks for space in the heap, unless the services are gone; the request is abandoned then.
  void request_heap_space(reserve_heap_space request);

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
  void wake_heap_keeper() noexcept;

  /// Called by the keeper before it looks: changes from here on ask anew.
  void heap_look_begins() noexcept {
    heap_look_requested_.store(false);
  }

  /// Called by the keeper: the store has refused a value of the heap, and whichever shard frees
  /// memory from here on is to tell. Returns whether none did since `frees` were counted.
  /// Sequentially consistent, as the other side: of two that come at once, one sees the other.
  [[nodiscard]] bool await_store_free(std::uint64_t frees) noexcept {
    heap_refused_.store(true);
    return store_frees_.load() == frees;
  }

  /// Called by a shard that has freed memory; returns whether the keeper is to be told.
  [[nodiscard]] bool count_store_free() noexcept {
    store_frees_.fetch_add(1);
    return heap_refused_.load() && heap_refused_.exchange(false);
  }

  [[nodiscard]] std::uint64_t store_frees() const noexcept {
    return store_frees_.load();
  }

  /// Called by the keeper: what it wants to hear of. Relaxed: it looks once more after this, and
  /// again before it refuses anybody.
  void watch_heap(const heap_relief& relief) noexcept {
    heap_watched_.store(relief.watches(), std::memory_order_relaxed);
    heap_awaited_.store(relief.waiting() > 0, std::memory_order_relaxed);
  }

  // -- the cluster --------------------------------------------------------------------------------

  /// Starts the actor that speaks with other nodes, unless it runs. Until then a node has none, and
  /// its references cannot leave. Throws `object_error` (`shutting_down`).
  void start_cluster();

  /// Returns whether it was started. The acquire pairs with the release in `start_cluster`.
  [[nodiscard]] bool in_cluster() const noexcept {
    return in_cluster_.load(std::memory_order_acquire);
  }

  /// REQUIRES: `in_cluster`.
  [[nodiscard]] const cluster_actor& cluster() const noexcept {
    return cluster_;
  }

  /// What moves the bytes of values. REQUIRES: `in_cluster`.
  [[nodiscard]] const transfers_actor& transfers() const noexcept {
    return transfers_;
  }

  /// Values may be pulled from here, and by this node. REQUIRES: called once, after
  /// `start_cluster`, before the cluster actor hears of any other node.
  void set_data_endpoint(data_endpoint at, begin_transfers start);

  /// Takes the right to speak for the node among its cluster, which one has in a node's life.
  /// Returns false if somebody has it, or had it. Any thread.
  [[nodiscard]] bool claim_membership() noexcept {
    return !membership_claimed_.exchange(true);
  }

  /// Gives the right back, before any other node was told.
  void release_membership() noexcept {
    membership_claimed_.store(false);
  }

  /// Remembers how to close the port through which other nodes come. REQUIRES: `close` waits for
  /// nothing without a limit, and for nothing at all when it is to begin only. It may be called
  /// twice, the second time to wait for what has begun.
  void set_port_closer(std::function<void(port_closing)> close);

  /// Closes that port, unless that was done before. Any thread but a service's.
  void close_port();

  /// What this node tells others of its data port; without one, that is nowhere. REQUIRES: called
  /// by the cluster actor or the transfers.
  [[nodiscard]] const data_endpoint& own_endpoint() const noexcept {
    return own_endpoint_;
  }

  /// Draws a number for a copy that is pulled; no object of this node has it. Any thread.
  [[nodiscard]] pull_number next_pull_number() noexcept;

  /// Has the cluster actor take the gateway's events. Called by the gateway, once for each time
  /// until it looks. In a simulation it looks at once, since clocks stand still there.
  void wake_cluster(wake_time when) noexcept;

  /// The arenas of other nodes that can be read in place.
  [[nodiscard]] peer_arenas& arenas() noexcept {
    return arenas_;
  }

  /// What this node tells others of its own arena.
  [[nodiscard]] arena_address own_arena() const;

  // -- services -----------------------------------------------------------------------------------

  [[nodiscard]] const reference_counter_actor& counter() const noexcept {
    return counter_;
  }

  [[nodiscard]] const owner_actor& owner() const noexcept {
    return owner_;
  }

  [[nodiscard]] const heap_keeper_actor& heap_keeper() const noexcept {
    return heap_keeper_;
  }

  [[nodiscard]] const std::vector<store_shard_actor>& shards() const noexcept {
    return shards_;
  }

  /// What the shards share: the space for stored objects, and who gets it.
  [[nodiscard]] store_space& space() noexcept {
    return space_;
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

  /// Free memory that should be faulted in.
  [[nodiscard]] page_stock stock() const noexcept;

  /// Tells the filler, if there is one, that the stock is low; not again before it looks.
  void request_fill();

  /// Called by the filler before it looks: a later request tells it again.
  void fill_begins() noexcept {
    fill_requested_.store(false, std::memory_order_relaxed);
  }

  /// While it lives, and is not empty, the services and the actor system are there. For threads
  /// that are no services, for as long as they send a message. Does not block.
  class services_use {
  public:
    /// REQUIRES: the core lives until this is made; it may be the last to hold it afterwards.
    explicit services_use(node_core& core) noexcept
      : core_(core.at_home() && core.uses_.try_use() ? &core : nullptr) {
      // nop
    }

    services_use(const services_use&) = delete;
    services_use& operator=(const services_use&) = delete;

    ~services_use() {
      if (core_ != nullptr)
        core_->end_use();
    }

    [[nodiscard]] explicit operator bool() const noexcept {
      return core_ != nullptr;
    }

  private:
    node_core* core_;
  };

  /// Sends to a shard, unless the services are gone; what the message carries is freed then.
  template <class Message>
  void send_to_shard(std::uint32_t shard, Message message) {
    if (services_use use{*this})
      caf::anon_send(shards_[shard], std::move(message));
  }

  [[nodiscard]] const spill_manager_actor& spill_manager() const noexcept {
    return spill_manager_;
  }

  /// The shard that holds the object `sequence`, if it is large.
  [[nodiscard]] std::uint32_t shard_of(std::uint64_t sequence) const noexcept;

  /// Counts one handled message; see `node_stats::messages`.
  void count_message() noexcept {
    messages_.fetch_add(1, std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t messages() const noexcept {
    return messages_.load(std::memory_order_relaxed);
  }

  /// Blocks until `is_there()` holds for an answer of the services, until `limit` is over, or until
  /// they have ended or were left behind, and nobody answers any more. Returns whether it is there.
  /// REQUIRES: whoever answers calls `answer_given` afterwards; not in a simulation, which the
  /// caller has to run; not called by a service.
  [[nodiscard]] bool await_answer(const std::function<bool()>& is_there,
                                  std::chrono::nanoseconds limit = std::chrono::nanoseconds::max());

  /// Has those who wait for an answer look for theirs. Any thread.
  void answer_given() noexcept;

  /// Counts a service that `start` spawns, before it can end. One that could not be spawned does
  /// not count: nobody would ever see it stop. Returns what `start` returns.
  template <class Start>
  auto start_counted(service_kind kind, Start start) {
    service_started(kind);
    try {
      return start();
    } catch (...) {
      service_not_started(kind);
      throw;
    }
  }

  // What follows is called by services, of themselves.

  void service_started(service_kind kind) noexcept;
  void service_not_started(service_kind kind) noexcept;

  /// Keeps a handle on a worker of the spill manager's, to tell it of the end.
  void spill_worker_started(caf::strong_actor_ptr worker);

  /// A handler threw, which ends the service.
  void note_exception(service_kind kind, const std::string& text);

  /// Whatever ended it. If nobody told it to stop, the node fails.
  void service_stopped(service_kind kind) noexcept;

  /// Returns whether the services have ended or were left behind, or belong to the parent of this
  /// forked child. A sender makes a `services_use`: the services may end right after this.
  [[nodiscard]] bool services_gone() const noexcept {
    return uses_.have_ended() || !at_home();
  }

  // -- whole-node operations ----------------------------------------------------------------------

  /// Ends pending gets with `shutting_down`, stops the services and waits for them, but for ever
  /// for none. May be called by several threads, any number of times; each returns when all is
  /// done. If one throws (`std::bad_alloc`, or what closing the port throws), the next goes on.
  /// Does nothing in a forked child. REQUIRES: not called from within an actor: that would wait for
  /// its own thread.
  void shut_down();

  /// Asks all services for their figures. Blocks for some messages' time.
  node_stats collect();

  /// Describes all objects that the node owns, as `mobula memory` shows them. REQUIRES: a
  /// simulation, which it runs for some messages' time.
  [[nodiscard]] object_listing list_objects();

  /// Adds the figures that no service has.
  void complete(node_stats& stats) const;

  /// Has each service check its tables; see `check_tables`. Does not wait.
  void check_invariants();

private:
  node_core(caf::actor_system& system, node_options options);
  ~node_core();

  void end_use() noexcept;
  heap_charge take_heap_slowly(heap_ledger& ledger, std::uint64_t bytes);
  void settle_heap(heap_ledger& ledger);
  void start_services();
  void fail(service_kind kind);
  void begin_closing_port();
  [[nodiscard]] std::string failure() const;
  void stop(service_kind kind);
  void tell_to_stop(service_kind kind);
  [[nodiscard]] bool await_stopped(service_kind kind);
  void stop_services();
  void end_services();
  [[nodiscard]] bool await_end();
  node_stats collect_once();
  void send_collect(collect_stats request);
  void run_until(const std::function<bool()>& is_done);
  void add_stripe_figures(node_stats& stats) const;
  [[nodiscard]] bool has_unsent_changes() const;

  // What each put, get and end of an entry reads, and hardly anybody writes.
  home_process home_;
  std::atomic<bool> closing_ = false;
  std::atomic<bool> stopping_ = false; ///< a thread is in `shut_down`, or was
  std::atomic<bool> failed_ = false;   ///< a service has died
  std::atomic<bool> in_cluster_ = false;
  std::atomic<bool> membership_claimed_ = false;
  std::atomic<bool> heap_watched_ = false;
  std::atomic<bool> heap_awaited_ = false;
  std::atomic<bool> heap_refused_ = false; ///< the keeper waits for the next of `store_frees_`
  caf::actor_system* system_;
  simulation_scheduler* simulation_;

  // What messages write: a cache line apart.
  alignas(64) service_uses uses_;
  std::atomic<std::uint64_t> messages_ = 0;
  std::atomic<std::uint64_t> store_frees_ = 0; ///< by all shards
  std::atomic<bool> flush_requested_ = false;
  std::atomic<bool> fill_requested_ = false;
  std::atomic<bool> heap_look_requested_ = false;

  alignas(64) node_options options_;
  incarnation_id incarnation_;
  std::string file_label_;
  heap_budget heap_limits_;
  std::array<entry_stripe, entry_stripe::count> stripes_;
  node_arena arena_;
  store_space space_;
  std::mutex readers_mutex_; ///< one census at a time
  reference_gateway gateway_{*this};
  peer_arenas arenas_{options_};

  data_endpoint own_endpoint_; ///< written once, before the cluster actor is told of its membership
  std::atomic<std::uint64_t> pulls_ = 1; ///< counts, for their numbers
  transfers_actor transfers_;            ///< as the cluster actor
  cluster_actor cluster_; ///< written once, under `services_mutex_`, before `in_cluster_`
  reference_counter_actor counter_;
  owner_actor owner_;
  heap_keeper_actor heap_keeper_;
  std::vector<store_shard_actor> shards_;
  spill_manager_actor spill_manager_;
  arena_filler_actor filler_; ///< none in a simulation; written before the first shard starts

  mutable std::mutex services_mutex_;        ///< guards all below
  std::condition_variable services_changed_; ///< also told of answers, see `await_answer`
  std::array<std::size_t, service_kinds> running_{};
  std::vector<caf::strong_actor_ptr> spill_workers_;
  std::function<void(port_closing)> port_closer_;
  std::string failure_;       ///< why a service died; empty if none has
  disk_trouble disk_trouble_; ///< written by the spill manager, read by shards
};

inline void intrusive_ptr_add_ref(node_core* core) noexcept {
  core->add_ref();
}

inline void intrusive_ptr_release(node_core* core) noexcept {
  core->drop_ref();
}

/// Owns one count of a core.
using core_pointer = caf::intrusive_ptr<node_core>;

} // namespace mobula

// What the parts of a node share and how they reach each other: its stripes, its store, its process
// heap, its place in a cluster. How services die and stop is in service_life.cpp.

#include "mobula/actors/node/node_core.hpp"

#include <chrono>
#include <filesystem>
#include <limits>
#include <memory>
#include <new>
#include <random>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "mobula/actors/caf/test_scheduler.hpp"
#include "mobula/actors/messages/cluster_requests.hpp"
#include "mobula/actors/messages/counter_messages.hpp"
#include "mobula/actors/messages/filler_messages.hpp"
#include "mobula/actors/messages/heap_messages.hpp"
#include "mobula/actors/messages/shard_messages.hpp"
#include "mobula/store/arena/arena_readers.hpp"
#include "mobula/store/arena/arena_slot.hpp"
#include "mobula/store/heap/heap_relief.hpp"
#include "mobula/store/shard/store_space.hpp"

namespace mobula {

namespace {

incarnation_id draw_incarnation(std::uint64_t seed) {
  auto draw = [](auto& source) {
    std::uniform_int_distribution<std::uint64_t> any;
    return incarnation_id{.high = any(source), .low = any(source)};
  };
  if (seed == 0) {
    std::random_device device;
    return draw(device);
  }
  std::mt19937_64 generator{seed};
  return draw(generator);
}

/// Simulations with the same seed, whose nodes have the same incarnations, may run side by side.
std::string label_files(const std::string& cluster, const simulation_scheduler* simulation) {
  if (simulation == nullptr)
    return cluster;
  return fmt::format("{}-{:08x}", cluster, std::random_device{}());
}

store_config config_of(const node_options& options) {
  store_config result;
  result.capacity_bytes = options.store_size_bytes;
  result.shards = options.shards;
  result.spill_threshold = options.spill_threshold_percent / 100.0;
  result.low_water = result.spill_threshold * 0.875;
  return result;
}

} // namespace

// -- constructors, destructors --------------------------------------------------------------------

node_core::node_core(caf::actor_system& system, node_options options)
  : cluster_place(system, draw_incarnation(options.seed), options), options_(std::move(options)),
    file_label_(label_files(options_.cluster, simulation())),
    value_heap_(*this, options_.heap_limit_bytes),
    arena_(open_arena(options_, incarnation(), file_label_)),
    space_(std::make_unique<store_space>(config_of(options_), options_.lent_bytes)) {
  set_gateway(gateway_);
  set_credit(space_->credit());
  std::uint32_t index = 0;
  for (auto& stripe : stripes_) {
    set_stripe(index, stripe);
    stripe.attach(*this, index, value_heap_.limits().ledger(index));
    ++index;
    add_ref();
  }
}

node_core::~node_core() = default;

core_pointer node_core::make(caf::actor_system& system, node_options options) {
  options.store_size_bytes = resolve_store_size(options);
  options.heap_limit_bytes = resolve_heap_limit(options);
  return {new node_core(system, std::move(options)), false};
}

void node_core::give_up() {
  shut_down();
  // There are no entries yet: closing makes the stripes give their counts back.
  for (auto& stripe : stripes_)
    stripe.close();
}

// -- properties -----------------------------------------------------------------------------------

node_core& object_entry::core() const noexcept {
  return static_cast<node_core&>(host());
}

node_core& entry_stripe::core() const noexcept {
  return static_cast<node_core&>(host());
}

std::uint32_t node_core::shard_of(std::uint64_t sequence) const noexcept {
  return home_shard(sequence, options_.shards);
}

// -- messages -------------------------------------------------------------------------------------

void node_core::send_flush() {
  services_use use{*this};
  if (!use)
    return;
  try {
    caf::anon_send(counter(), flush_references{});
  } catch (...) {
    // Without memory for the message, the next to ask sends it.
    flush_begins();
    throw;
  }
}

reader_census node_core::clear_dead_readers() {
  std::unique_lock guard{readers_mutex_};
  return arena_readers{arena()}.clear_dead();
}

void node_core::request_fill() {
  // Where there is no filler, nobody lowers it again.
  if (fill_requested_.load(std::memory_order_relaxed)
      || fill_requested_.exchange(true, std::memory_order_relaxed))
    return;
  services_use use{*this};
  if (!use || !services_to_launch().filler)
    return;
  try {
    caf::anon_send(services_to_launch().filler, fill_stock{});
  } catch (const std::bad_alloc&) {
    // Nobody waits for the stock: without memory for the message, the next to ask sends it.
    fill_begins();
  }
}

void node_core::release_stored(release_token token) noexcept {
  auto shard = token->copy()->shard;
  send_to_shard(shard, release_copy{std::make_shared<release_token>(std::move(token))});
}

void node_core::free_stored(object_handle entry) {
  auto shard = entry->copy()->shard;
  send_to_shard(shard, free_copy_of{std::move(entry)});
}

void node_core::drop_borrowed(object_entry& entry) noexcept {
  gateway_.drop(entry);
}

void node_core::fetch(object_entry& entry, wait_goal goal) {
  if (entry.kind() == entry_kind::borrowed && !find_in_place_(entry))
    gateway_.request(entry, goal == wait_goal::readable ? pull_priority::get : pull_priority::wait);
}

void node_core::request_restore(const object_entry& entry) {
  if (entry.kind() == entry_kind::borrowed)
    return gateway_.request(entry, pull_priority::get);
  if (const auto* copy = entry.copy())
    send_to_shard(copy->shard, request_copy{entry.sequence()});
}

void node_core::report_unpinned(object_entry& entry) noexcept {
  if (!at_home())
    return;
  auto& copy = *entry.copy();
  auto in_heap = copy.in_heap.load(std::memory_order_acquire);
  // What is read in another node's arena leaves this heap with its last view.
  if (in_heap || copy.place == nullptr) {
    entry.stripe().order().unpinned(copy);
    heap_unpinned();
  }
  if (in_heap)
    return;
  if (copy.place != nullptr)
    copy.place->settle(copy);
  else
    copy_unpinned(copy.shard, number_in_shard(entry));
}

void node_core::copy_unpinned(std::uint32_t shard, std::uint64_t number) noexcept {
  send_to_shard(shard, mobula::copy_unpinned{number});
}

void node_core::report_unpinned_elsewhere(const object_id& object) noexcept {
  if (services_use use{*this})
    caf::anon_send(cluster(), borrowed_unpinned{object});
}

// -- the cluster ----------------------------------------------------------------------------------

arena_address own_arena(const node_core& core) {
  // Others need not be where this process is.
  std::error_code ignored;
  auto path = std::filesystem::absolute(core.arena().path(), ignored);
  return {.host = core.arenas().own_host(), .path = path.string()};
}

// -- the process heap -----------------------------------------------------------------------------

void node_core::request_heap_space(reserve_heap_space request) {
  if (services_use use{*this})
    caf::anon_send(heap_keeper(), std::move(request));
}

void node_core::wake_heap_keeper() noexcept {
  if (heap_look_requested_.load(std::memory_order_relaxed) || heap_look_requested_.exchange(true))
    return;
  services_use use{*this};
  if (!use)
    return;
  try {
    caf::anon_send(heap_keeper(), look_at_heap{});
  } catch (const std::bad_alloc&) {
    // As above. Who needs space in the heap asks for that by a message of its own.
    heap_look_begins();
  }
}

void node_core::watch_heap(const heap_relief& relief) noexcept {
  object_host::watch_heap(relief.watches(), relief.waiting() > 0);
}

// -- the end --------------------------------------------------------------------------------------

void node_core::refuse_readers() {
  for (auto& stripe : stripes_)
    stripe.refuse_waiters();
}

void node_core::withdraw_arena() {
  arena_.segment->unpublish();
}

} // namespace mobula

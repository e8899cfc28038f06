// What the parts of a node share and how they reach each other: its stripes, messages to its
// services, its process heap and its figures. How services start, die and stop is in
// node_services.cpp.

#include "mobula/actors/node/node_core.hpp"

#include <chrono>
#include <filesystem>
#include <limits>
#include <random>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "mobula/actors/objects/wait_group.hpp"
#include "mobula/store/arena/arena_slot.hpp"

namespace mobula {

namespace {

/// How long the gateway collects references before other nodes are told. A message with ten
/// thousand of them is read in some milliseconds, and nobody waits for what is told.
constexpr std::chrono::microseconds wake_delay{200};

/// Threads take stripes in turn; a thread keeps its own for all nodes.
std::uint32_t stripe_of_thread() noexcept {
  static std::atomic<std::uint32_t> next = 0;
  thread_local const auto mine = next.fetch_add(1, std::memory_order_relaxed) % entry_stripe::count;
  return mine;
}

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
  : system_(&system), simulation_(test_scheduler(system)), options_(std::move(options)),
    incarnation_(draw_incarnation(options_.seed)),
    file_label_(label_files(options_.cluster, simulation_)),
    heap_limits_(options_.heap_limit_bytes, entry_stripe::count),
    arena_(open_arena(options_, incarnation_, file_label_)),
    space_(config_of(options_), options_.lent_bytes) {
  std::uint32_t index = 0;
  for (auto& stripe : stripes_) {
    stripe.attach(*this, index, heap_limits_.ledger(index));
    ++index;
    add_ref();
  }
}

node_core::~node_core() = default;

core_pointer node_core::start(caf::actor_system& system, node_options options) {
  options.store_size_bytes = resolve_store_size(options);
  options.heap_limit_bytes = resolve_heap_limit(options);
  core_pointer core{new node_core(system, std::move(options)), false};
  try {
    core->start_services();
  } catch (...) {
    core->shut_down();
    // There are no entries yet: closing makes the stripes give their counts back.
    for (auto& stripe : core->stripes_)
      stripe.close();
    throw;
  }
  return core;
}

void node_core::set_data_endpoint(data_endpoint at, begin_transfers start) {
  own_endpoint_ = std::move(at);
  caf::anon_send(transfers_, std::move(start));
}

pull_number node_core::next_pull_number() noexcept {
  constexpr auto distinct = std::uint64_t{1} << 63U;
  return pull_number{distinct | pulls_.fetch_add(1, std::memory_order_relaxed)};
}

void node_core::wake_cluster(wake_time when) noexcept {
  services_use use{*this};
  if (!use)
    return;
  if (when == wake_time::soon && simulation() == nullptr)
    send_after(system(), caf::actor_cast<caf::strong_actor_ptr>(cluster_), wake_delay,
               gateway_event_noted{});
  else
    caf::anon_send(cluster_, gateway_event_noted{});
}

arena_address node_core::own_arena() const {
  // Others need not be where this process is.
  std::error_code ignored;
  auto path = std::filesystem::absolute(arena().path(), ignored);
  return {.host = arenas_.own_host(), .path = path.string()};
}

// -- properties -----------------------------------------------------------------------------------

error_info node_core::shutting_down_error() const {
  if (!at_home())
    return {.type = error_type::invalid_argument,
            .message = fmt::format("node {} belongs to the process that this one was forked of, "
                                   "and cannot be used here; start a node after the fork, or have "
                                   "the child execute another program",
                                   to_string(incarnation_)),
            .origin = origin()};
  if (failed_.load())
    return {.type = error_type::node_died,
            .message = fmt::format("node {} has failed, since {}; shut it down and start another",
                                   to_string(incarnation_), failure()),
            .origin = origin()};
  return {.type = error_type::shutting_down,
          .message = fmt::format("node {} has shut down, or is about to: it takes no more values "
                                 "and gives none; start another node",
                                 to_string(incarnation_)),
          .origin = origin()};
}

void node_core::set_disk_trouble(disk_trouble news) {
  std::unique_lock guard{services_mutex_};
  disk_trouble_ = std::move(news);
}

disk_trouble node_core::latest_disk_trouble() const {
  std::unique_lock guard{services_mutex_};
  return disk_trouble_;
}

error_origin node_core::origin() const {
  return {.task = {}, .node = to_string(incarnation_), .process = ::getpid()};
}

page_stock node_core::stock() const noexcept {
  return stock_of_heap(options_);
}

entry_stripe& node_core::local_stripe() noexcept {
  return stripes_[stripe_of_thread()];
}

std::uint32_t node_core::shard_of(std::uint64_t sequence) const noexcept {
  return home_shard(sequence, options_.shards);
}

// -- messages -------------------------------------------------------------------------------------

void node_core::request_flush() {
  // The plain load spares the exchange in the common case. It cannot miss a flush that has begun:
  // the counter lowers the flag before it takes a stripe's mutex, and the caller has released that
  // mutex since.
  if (flush_requested_.load(std::memory_order_relaxed) || flush_requested_.exchange(true))
    return;
  services_use use{*this};
  if (!use)
    return;
  try {
    caf::anon_send(counter_, flush_references{});
  } catch (...) {
    // Without memory for the message, the next to ask sends it.
    flush_requested_ = false;
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
  if (services_use use{*this}; use && filler_)
    caf::anon_send(filler_, fill_stock{});
}

void node_core::release_stored(release_token token) noexcept {
  auto shard = token->copy()->shard;
  send_to_shard(shard, release_copy{std::make_shared<release_token>(std::move(token))});
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
    entry.heap_unpinned();
    heap_unpinned();
  }
  if (in_heap)
    return;
  if (copy.place != nullptr)
    copy.place->settle(copy);
  else
    send_to_shard(copy.shard, copy_unpinned{entry.number_in_shard()});
}

void node_core::report_unpinned_elsewhere(const object_id& object) noexcept {
  if (services_use use{*this})
    caf::anon_send(cluster_, borrowed_unpinned{object});
}

// -- the process heap -----------------------------------------------------------------------------

heap_charge node_core::take_heap_slowly(heap_ledger& ledger, std::uint64_t bytes) {
  auto answer = heap_limits_.take(ledger, bytes);
  if (answer != heap_answer::taken)
    wake_heap_keeper();
  return answer == heap_answer::full ? heap_charge{} : heap_charge{ledger, bytes};
}

void node_core::settle_heap(heap_ledger& ledger) {
  if (heap_limits_.settle(ledger) != heap_answer::taken)
    wake_heap_keeper();
}

void node_core::request_heap_space(reserve_heap_space request) {
  if (services_use use{*this})
    caf::anon_send(heap_keeper_, std::move(request));
}

void node_core::wake_heap_keeper() noexcept {
  if (heap_look_requested_.load(std::memory_order_relaxed) || heap_look_requested_.exchange(true))
    return;
  if (services_use use{*this})
    caf::anon_send(heap_keeper_, look_at_heap{});
}

// -- services -------------------------------------------------------------------------------------

void node_core::end_use() noexcept {
  switch (uses_.end_use()) {
    case service_uses::end::counted:
      return;
    case service_uses::end::last:
      delete this;
      return;
    case service_uses::end::announced:
      break;
  }
  {
    std::unique_lock guard{services_mutex_};
    uses_.end_announced();
    services_changed_.notify_all();
  }
  drop_ref();
}

// -- figures --------------------------------------------------------------------------------------

node_stats node_core::collect() {
  // Freeing an object may free those nested in it, which takes one more round for each level. Where
  // others keep working there is no end of rounds, and their levels move anyway: after a few, it
  // goes on only as long as there is less and less.
  constexpr int max_rounds = 1000;
  constexpr int few_rounds = 16;
  node_stats stats;
  for (int round = 0; round < max_rounds; ++round) {
    auto handled_before = messages();
    auto entries_before = stats.entries;
    stats = collect_once();
    auto settled = !has_unsent_changes() && messages() == handled_before;
    if (closing() || settled || (round >= few_rounds && stats.entries >= entries_before))
      break;
  }
  return stats;
}

bool node_core::has_unsent_changes() const {
  if (gateway_.has_events())
    return true;
  for (const auto& stripe : stripes_)
    if (stripe.has_changes())
      return true;
  return false;
}

node_stats node_core::collect_once() {
  auto answer = std::make_shared<stats_answer>();
  send_collect({std::make_shared<stats_request>(
    [answer, core = core_pointer{this}](const stats_request& ended) {
      answer->set(ended.stats);
      core->answer_given();
    })});
  auto is_set = [&] {
    return answer->is_set();
  };
  // Without an answer there are no figures but those that no service has.
  if (simulation_ == nullptr)
    static_cast<void>(await_answer(is_set));
  else
    run_until(is_set);
  auto stats = answer->get();
  complete(stats);
  return stats;
}

/// Without services the request ends at once.
void node_core::send_collect(collect_stats request) {
  if (services_use use{*this}; !use)
    request.request.reset();
  else if (in_cluster())
    caf::anon_send(cluster_, std::move(request));
  else
    caf::anon_send(counter_, std::move(request));
}

void node_core::run_until(const std::function<bool()>& is_done) {
  while (!is_done() && simulation_->try_run_once())
    ; // all the work is in the condition
}

object_listing node_core::list_objects() {
  MOBULA_ASSERT(simulation_ != nullptr);
  constexpr std::uint64_t all = std::numeric_limits<std::uint32_t>::max();
  const ask_report question{.max_objects = all, .only = {}};
  auto answer = std::make_shared<std::optional<object_listing>>();
  auto request = std::make_shared<stats_request>(
    [answer](stats_request& ended) { *answer = std::move(ended.objects); });
  request->objects.emplace(question, incarnation_);
  send_collect({std::move(request)});
  run_until([&] { return answer->has_value(); });
  return *answer ? std::move(**answer) : object_listing{question, incarnation_};
}

void node_core::complete(node_stats& stats) const {
  add_stripe_figures(stats);
  stats.messages = messages();
  stats.store_capacity_bytes = options_.store_size_bytes;
  stats.arena_bytes = arena().layout().total_bytes;
  stats.heap_bytes = heap_limits_.used_bytes();
  stats.heap_limit_bytes = heap_limits_.limit_bytes();
}

void node_core::check_invariants() {
  if (in_cluster()) {
    caf::anon_send(cluster_, check_tables{});
    caf::anon_send(transfers_, check_tables{});
  }
  caf::anon_send(owner_, check_tables{});
  caf::anon_send(heap_keeper_, check_tables{});
  for (const auto& shard : shards_)
    caf::anon_send(shard, check_tables{});
  caf::anon_send(spill_manager_, check_tables{});
}

void node_core::add_stripe_figures(node_stats& stats) const {
  for (const auto& stripe : stripes_) {
    stats.entries += stripe.live();
    stats.waiting_gets += stripe.waiting();
  }
}

} // namespace mobula

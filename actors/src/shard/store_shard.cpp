// The actor for a share of the store's objects: turns messages of creators, owner, readers and disk
// into events of the store's table, whose effects store_shard_effects.cpp carries out.

#include "mobula/actors/shard/store_shard.hpp"

#include <algorithm>
#include <utility>

#include "mobula/actors/caf/spawn_service.hpp"
#include "mobula/store/system/assertion.hpp"
#include "store_shard_state.hpp"

namespace mobula {

store_shard_state::~store_shard_state() {
  if (!core_)
    return;
  // In this order: what goes back from here on is not given out again.
  heap().close();
  // Waiting threads are refused as the last thing: the reason is known once the node is told.
  std::vector<std::shared_ptr<space_request>> waiting;
  for (auto& [sequence, held] : slots_) {
    if (held.reservation != nullptr)
      waiting.push_back(std::move(held.reservation));
    held.let_go();
  }
  slots_.clear();
  core_->service_stopped(service_kind::shard);
}

void store_shard_state::init(node_core& core, std::uint32_t index, self_pointer self) {
  core_ = core_pointer{&core};
  index_ = index;
  self_ = self;
  timers_.attach(self);
  guard_service(*self, core, service_kind::shard);
  readers_.emplace(core.arena(), index);
}

// -- creators -----------------------------------------------------------------------------------

void store_shard_state::add_sealed(copy_sealed& request) {
  core_->count_message();
  auto id = request.entry->id();
  auto size = request.copy->space_bytes();
  space().backlog(index_).settle(size);
  auto& held = slots_.emplace(id.sequence, shard_slot{std::move(request.copy), request.entry.get()})
                 .first->second;
  readers_->publish(id, held);
  tell(&store_table::add_sealed, id, size, copy_kind::primary);
  run();
}

void store_shard_state::accept(move_into_store& request) {
  core_->count_message();
  auto id = request.entry->id();
  auto size = request.copy->space_bytes();
  shard_slot held{std::move(request.copy), request.entry.get()};
  held.waiting = std::move(request.entry);
  slots_.emplace(id.sequence, std::move(held));
  tell(&store_table::create, next_token(), id, size, copy_kind::primary);
  run();
}

void store_shard_state::take_credit_back(const return_credit& request) {
  core_->count_message();
  space().backlog(index_).settle(request.bytes);
  tell(&store_table::take_back, request.bytes);
  run();
}

void store_shard_state::moved_in(copy_moved& answer) {
  core_->count_message();
  auto& held = slots_.at(answer.sequence);
  if (held.leaving_heap)
    finish_leaving_heap(held, std::move(*answer.memory));
  else
    finish_admission(held, std::move(*answer.memory));
  run();
}

void store_shard_state::reserve(reserve_space& request) {
  core_->count_message();
  auto id = id_of(request.sequence);
  auto size = request.copy->space_bytes();
  shard_slot held{std::move(request.copy), nullptr};
  held.reservation = std::move(request.request);
  slots_.emplace(request.sequence, std::move(held));
  auto token = next_token();
  tell(&store_table::create, token, id, size, copy_kind::primary);
  run();
  if (request.until == patience::none)
    withdraw_unless_granted(token, id);
}

void store_shard_state::seal(const seal_reserved& request) {
  core_->count_message();
  auto id = request.entry->id();
  auto& held = slot_of(id);
  held.keep(*request.entry.get());
  held.in_transfer = false;
  readers_->publish(id, held);
  tell(&store_table::seal, id);
  run();
}

void store_shard_state::abort(const abort_reserved& request) {
  core_->count_message();
  auto id = id_of(request.sequence);
  slot_of(id).take_memory_back();
  tell(&store_table::abort, id);
  run();
  drop_unknown(id);
}

// -- owner and readers --------------------------------------------------------------------------

void store_shard_state::release(const release_copy& request) {
  core_->count_message();
  auto token = std::move(*request.token);
  auto id = id_of(token->number_in_shard());
  auto held = slots_.find(id.sequence);
  // A lost copy is gone already; only the entry is left to go.
  if (held == slots_.end())
    return;
  held->second.token = std::move(token);
  tell(&store_table::release, id);
  run();
  drop_unknown(id);
}

/// What is on its way into the store is freed when it has arrived, by who brings it.
void store_shard_state::free(free_copy_of& request) {
  core_->count_message();
  auto id = request.entry->id();
  auto found = slots_.find(id.sequence);
  if (found == slots_.end())
    return;
  found->second.freed = std::move(request.entry);
  tell(&store_table::release, id);
  run();
  drop_unknown(id);
}

void store_shard_state::make_readable(const request_copy& request) {
  core_->count_message();
  tell(&store_table::request_copy, next_token(), id_of(request.sequence));
  run();
}

void store_shard_state::unpinned(const copy_unpinned& hint) {
  core_->count_message();
  auto id = id_of(hint.sequence);
  tell(&store_table::unpinned, id);
  run();
  drop_unknown(id);
}

/// The kernel may free the connection of a dead process before its lock, which keeps its place from
/// others. And a living one may begin to read before it knows that it is no peer any more: what it
/// reports reaches nobody. So there is one more look at least, when it does know.
void store_shard_state::node_lost() {
  core_->count_message();
  forget_dead_readers();
  run();
  look_later();
}

void store_shard_state::look_later() {
  if (next_look_ == deadline{})
    next_look_ = timers_.start(core_->options().grace_period, [this] {
      next_look_ = {};
      look_again();
    });
}

void store_shard_state::look_again() {
  core_->count_message();
  forget_dead_readers();
  run();
  // What the look itself has begun may be of no use any more.
  if (readers_->has_readers_elsewhere())
    look_later();
  else
    timers_.stop(std::exchange(next_look_, {}));
}

// -- spill manager ------------------------------------------------------------------------------

void store_shard_state::written(const copy_written& answer) {
  core_->count_message();
  slot_of(answer.id).in_transfer = false;
  tell(&store_table::spill_finished, answer.id);
  run();
  drop_unknown(answer.id);
}

void store_shard_state::not_written(const copy_not_written& answer) {
  core_->count_message();
  slot_of(answer.id).in_transfer = false;
  tell(&store_table::spill_failed, answer.id, answer.reason, answer.round);
  run();
  drop_unknown(answer.id);
}

void store_shard_state::read(const copy_read& answer) {
  core_->count_message();
  slot_of(answer.id).in_transfer = false;
  readers_->open(answer.id, slot_of(answer.id));
  tell(&store_table::restore_finished, answer.id);
  run();
  drop_unknown(answer.id);
}

void store_shard_state::not_read(const copy_not_read& answer) {
  core_->count_message();
  slot_of(answer.id).take_memory_back();
  tell(&store_table::restore_failed, answer.id, answer.reason);
  run();
  drop_unknown(answer.id);
}

void store_shard_state::spilling_possible(const spilling_possible_again& news) {
  core_->count_message();
  tell(&store_table::spilling_possible, news.round);
  run();
}

// -- other shards -------------------------------------------------------------------------------

void store_shard_state::look_at_effects() {
  core_->count_message();
  space().collect_effects(index_, effects_);
  run();
}

// -- the node -----------------------------------------------------------------------------------

void store_shard_state::collect(collect_stats& message) {
  auto& stats = message.request->stats;
  if (index_ == 0)
    add_store_figures(stats);
  stats.peer_timers += next_look_ == deadline{} ? 0 : 1;
  stats.timers += timers_.size();
  readers_->add_figures(stats);
  for (const auto& [sequence, held] : slots_)
    if (held.copy->pins.pinned() && held.copy->memory.in_arena())
      stats.pinned += {1, held.copy->size_bytes};
  if (auto& listing = message.request->objects; listing) {
    if (index_ == 0)
      begin_use_period(*listing);
    describe_objects(*listing);
  }
  if (index_ + 1 < core_->shards().size())
    self_->send(core_->shards()[index_ + 1], std::move(message));
  else
    self_->send(core_->spill_manager(), std::move(message));
}

/// Those of all shards together.
void store_shard_state::add_store_figures(node_stats& stats) const {
  auto figures = space().inspect([](const store_table& table) { return table.stats(); });
  for (const auto& tally : {figures.primary, figures.secondary, figures.spilling, figures.doomed})
    stats.resident += {tally.objects, tally.bytes};
  stats.spilled += {figures.spilled.objects, figures.spilled.bytes};
  stats.reserved_bytes += figures.unsealed.bytes + figures.restoring.bytes;
  stats.lent_bytes += figures.lent_bytes;
  stats.waiting_puts += figures.waiting.objects;
  stats.evictions += {figures.evictions.objects, figures.evictions.bytes};
  stats.unloads += {figures.unloads.objects, figures.unloads.bytes};
  stats.restored += {figures.restores.objects, figures.restores.bytes};
  stats.space_waits += figures.waits;
  stats.overtakings += figures.overtakings;
  stats.refusals += figures.refusals;
  stats.stalls += figures.stalls;
  stats.spill_failures += figures.spill_failures;
  auto memory = heap().figures();
  stats.arena_used_bytes += memory.used_bytes;
  stats.arena_committed_bytes += memory.committed_bytes;
  stats.prefault_ready_bytes += memory.committed_free_bytes;
  stats.prefault_target_bytes += core_->stock().wanted(memory.used_bytes);
  stats.late_commit_bytes += memory.late_commit_bytes;
  stats.free_extents += memory.free_extents;
  stats.largest_free_bytes = std::max(stats.largest_free_bytes, memory.largest_free_bytes);
}

void store_shard_state::stop() {
  self_->quit();
}

void store_shard_state::check() {
  heap().check_invariants();
  // An event of its own: what others caused is carried out before.
  tell([this](const store_table& table, store_effects&) {
    table.check_invariants();
    for (const auto& [sequence, held] : slots_)
      MOBULA_ASSERT(table.contains(id_of(sequence)));
  });
  run();
}

// -- the actor ------------------------------------------------------------------------------------

namespace {

store_shard_actor::behavior_type
store_shard(store_shard_actor::stateful_pointer<store_shard_state> self, node_core* core,
            std::uint32_t index) {
  auto& state = self->state;
  state.init(*core, index, self);
  return {
    [&state](copy_sealed& request) { state.add_sealed(request); },
    [&state](move_into_store& request) { state.accept(request); },
    [&state](take_from_heap& request) { state.accept_from_heap(request); },
    [&state](const drop_decoded_value& request) { state.drop_decoded(request); },
    [&state](copy_moved& answer) { state.moved_in(answer); },
    [&state](reserve_space& request) { state.reserve(request); },
    [&state](const seal_reserved& request) { state.seal(request); },
    [&state](const abort_reserved& request) { state.abort(request); },
    [&state](const return_credit& request) { state.take_credit_back(request); },
    [&state](const release_copy& request) { state.release(request); },
    [&state](free_copy_of& request) { state.free(request); },
    [&state](const request_copy& request) { state.make_readable(request); },
    [&state](const copy_unpinned& hint) { state.unpinned(hint); },
    [&state](const reserve_pull_buffer& request) { state.reserve_for_pull(request); },
    [&state](const withdraw_pull_buffer& request) { state.withdraw_buffer(request); },
    [&state](const return_pull_buffer& request) { state.return_buffer(request); },
    [&state](const seal_pulled& request) { state.seal_pull(request); },
    [&state](const release_pulled& request) { state.release_pull(request); },
    [&state](readers_lost) { state.node_lost(); },
    [&state](const copy_written& answer) { state.written(answer); },
    [&state](const copy_not_written& answer) { state.not_written(answer); },
    [&state](const copy_read& answer) { state.read(answer); },
    [&state](const copy_not_read& answer) { state.not_read(answer); },
    [&state](const spilling_possible_again& news) { state.spilling_possible(news); },
    [&state](effects_waiting) { state.look_at_effects(); },
    [&state](collect_stats& request) { state.collect(request); },
    [&state](check_tables) { state.check(); },
    [&state](shut_down) { state.stop(); },
  };
}

} // namespace

store_shard_actor spawn_store_shard(node_core& core, std::uint32_t index) {
  return core.start_counted(
    service_kind::shard, [&] { return spawn_service(core.system(), store_shard, &core, index); });
}

} // namespace mobula

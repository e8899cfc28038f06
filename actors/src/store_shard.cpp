#include "mobula/actors/store_shard.hpp"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "mobula/actors/node_core.hpp"
#include "mobula/actors/refusal_error.hpp"
#include "mobula/store/assertion.hpp"
#include "mobula/store/shard_table.hpp"
#include "shard_readers.hpp"

namespace mobula {

namespace {

/// Copying this much takes less than a message's detour.
constexpr std::size_t most_moved_here = std::size_t{256} << 10U;

std::string_view describe(pressure_level level) {
  switch (level) {
    case pressure_level::calm:
      return "room enough again";
    case pressure_level::relieving:
      return "above the threshold, moving objects out";
    case pressure_level::waiting:
      return "full, requests wait for room";
    case pressure_level::stalled:
      return "full, and nothing can move out";
  }
  return "in no known state";
}

shard_config config_of(const node_options& options) {
  shard_config result;
  result.capacity_bytes = options.store_size_bytes / options.shards;
  result.spill_threshold = options.spill_threshold_percent / 100.0;
  result.low_water = result.spill_threshold * 0.875;
  return result;
}

/// Feeds the shard table and carries out its effects.
class store_shard_state {
public:
  using self_pointer = store_shard_actor::pointer;

  store_shard_state() = default;

  ~store_shard_state() {
    if (!core_)
      return;
    for (auto& [sequence, held] : slots_)
      held.let_go();
    core_->service_stopped();
  }

  void init(node_core& core, std::uint32_t index, self_pointer self) {
    core_ = core_pointer{&core};
    index_ = index;
    self_ = self;
    table_.emplace(config_of(core.options()));
    readers_.emplace(core.arena(), index);
    run();
  }

  // -- creators -----------------------------------------------------------------------------------

  void adopt(adopt_copy& request) {
    core_->count_message();
    auto id = request.entry->id();
    auto size = request.copy->size_bytes;
    auto& held =
      slots_.emplace(id.sequence, shard_slot{std::move(request.copy), request.entry.get()}).first->second;
    readers_->publish(id, held);
    table_->adopt(id, size, copy_kind::primary, effects_);
    run();
  }

  void admit(admit_copy& request) {
    core_->count_message();
    auto id = request.entry->id();
    auto size = request.copy->size_bytes;
    shard_slot held{std::move(request.copy), request.entry.get()};
    held.waiting = std::move(request.entry);
    slots_.emplace(id.sequence, std::move(held));
    table_->create(next_token(), id, size, copy_kind::primary, effects_);
    run();
  }

  void take_credit_back(const return_credit& request) {
    core_->count_message();
    table_->take_back(request.bytes, effects_);
    run();
  }

  void moved_in(copy_moved& answer) {
    core_->count_message();
    finish_admission(slots_.at(answer.sequence), std::move(*answer.memory));
    run();
  }

  void reserve(reserve_room& request) {
    core_->count_message();
    auto id = id_of(request.sequence);
    auto size = request.copy->size_bytes;
    shard_slot held{std::move(request.copy), nullptr};
    held.room = std::move(request.request);
    slots_.emplace(request.sequence, std::move(held));
    auto token = next_token();
    table_->create(token, id, size, copy_kind::primary, effects_);
    run();
    if (request.until == patience::none)
      withdraw_unless_granted(token, id);
  }

  void seal(const seal_reserved& request) {
    core_->count_message();
    auto id = request.entry->id();
    auto& held = slot_of(id);
    held.entry = request.entry.get();
    held.in_transfer = false;
    readers_->publish(id, held);
    table_->seal(id, effects_);
    run();
  }

  void abort(const abort_reserved& request) {
    core_->count_message();
    auto id = id_of(request.sequence);
    slot_of(id).in_transfer = false;
    table_->abort(id, effects_);
    run();
    drop_unknown(id);
  }

  // -- owner and readers --------------------------------------------------------------------------

  void release(const release_copy& request) {
    core_->count_message();
    auto scope = std::move(*request.scope);
    auto id = scope->id();
    auto held = slots_.find(id.sequence);
    // A lost copy is gone already; only the entry is left to go.
    if (held == slots_.end())
      return;
    held->second.scope = std::move(scope);
    table_->release(id, effects_);
    run();
    drop_unknown(id);
  }

  void want(const want_copy& request) {
    core_->count_message();
    table_->request_copy(next_token(), id_of(request.sequence), effects_);
    run();
  }

  void unpinned(const copy_unpinned& hint) {
    core_->count_message();
    auto id = id_of(hint.sequence);
    if (!table_->contains(id))
      return;
    table_->unpinned(id, effects_);
    run();
    drop_unknown(id);
  }

  // -- spill manager ------------------------------------------------------------------------------

  void written(const copy_written& answer) {
    core_->count_message();
    slot_of(answer.id).in_transfer = false;
    table_->spill_finished(answer.id, effects_);
    run();
    drop_unknown(answer.id);
  }

  void not_written(const copy_not_written& answer) {
    core_->count_message();
    slot_of(answer.id).in_transfer = false;
    table_->spill_failed(answer.id, answer.reason, effects_);
    run();
    drop_unknown(answer.id);
  }

  void read(const copy_read& answer) {
    core_->count_message();
    slot_of(answer.id).in_transfer = false;
    readers_->open(answer.id, slot_of(answer.id));
    table_->restore_finished(answer.id, effects_);
    run();
    drop_unknown(answer.id);
  }

  void not_read(const copy_not_read& answer) {
    core_->count_message();
    slot_of(answer.id).in_transfer = false;
    table_->restore_failed(answer.id, answer.reason, effects_);
    run();
    drop_unknown(answer.id);
  }

  void spilling_possible() {
    core_->count_message();
    table_->spilling_possible(effects_);
    run();
  }

  void stall_over(const stall_timed_out& timer) {
    table_->give_up(stall_number{timer.number}, effects_);
    run();
  }

  // -- the node -----------------------------------------------------------------------------------

  void collect(collect_stats& message) {
    auto figures = table_->stats();
    auto& stats = message.request->stats;
    for (const auto& tally : {figures.primary, figures.secondary, figures.spilling, figures.doomed})
      stats.resident += {tally.objects, tally.bytes};
    stats.spilled += {figures.spilled.objects, figures.spilled.bytes};
    stats.reserved_bytes += figures.unsealed.bytes + figures.restoring.bytes;
    stats.lent_bytes += figures.lent_bytes;
    stats.waiting_puts += figures.waiting.objects;
    stats.evictions += {figures.evictions.objects, figures.evictions.bytes};
    stats.unloads += {figures.unloads.objects, figures.unloads.bytes};
    stats.restored += {figures.restores.objects, figures.restores.bytes};
    stats.room_waits += figures.waits;
    stats.overtakings += figures.overtakings;
    stats.refusals += figures.refusals;
    stats.stalls += figures.stalls;
    stats.spill_failures += figures.spill_failures;
    add_arena_figures(stats);
    for (const auto& [sequence, held] : slots_)
      if (held.copy->pins.pinned())
        stats.pinned += {1, held.copy->size_bytes};
    if (index_ + 1 < core_->shards().size())
      self_->send(core_->shards()[index_ + 1], std::move(message));
    else
      self_->send(core_->spill_manager(), std::move(message));
  }

  void add_arena_figures(node_stats& stats) const {
    auto figures = heap().figures();
    stats.arena_used_bytes += figures.used_bytes;
    stats.arena_committed_bytes += figures.committed_bytes;
    stats.prefault_ready_bytes += figures.committed_free_bytes;
    stats.prefault_target_bytes += core_->stock_bytes();
    stats.late_commit_bytes += figures.late_commit_bytes;
    stats.free_extents += figures.free_extents;
    stats.largest_free_bytes = std::max(stats.largest_free_bytes, figures.largest_free_bytes);
    readers_->add_figures(stats);
  }

  void stop() {
    self_->send(core_->spill_manager(), shut_down{});
    self_->quit();
  }

  void check() const {
    table_->check_invariants();
    heap().check_invariants();
    for (const auto& [sequence, held] : slots_)
      MOBULA_ASSERT(table_->contains(id_of(sequence)));
  }

private:
  [[nodiscard]] object_id id_of(std::uint64_t sequence) const {
    return {.owner = core_->incarnation(), .sequence = sequence};
  }

  shard_slot& slot_of(const object_id& id) {
    return slots_.at(id.sequence);
  }

  void withdraw_unless_granted(request_token token, const object_id& id) {
    auto held = slots_.find(id.sequence);
    if (held == slots_.end() || !held->second.room)
      return;
    auto room = std::move(held->second.room);
    slots_.erase(held);
    table_->cancel(token, effects_);
    run();
    room->refuse({.type = error_type::store_full, .message = "no room at once"});
  }

  request_token next_token() {
    return request_token{++tokens_};
  }

  /// Carries effects out; carrying one out may append others. Then lends room again.
  void run() {
    for (;;) {
      for (std::size_t next = 0; next < effects_.size(); ++next) {
        auto effect = effects_[next];
        std::visit([this](const auto& content) { apply(content); }, effect);
      }
      effects_.clear();
      auto bytes = bytes_to_lend();
      if (bytes == 0)
        break;
      table_->lend(bytes, effects_);
    }
    front().set_stamp(table_->current_stamp());
    if (heap().below_stock(core_->stock_bytes()))
      core_->request_fill(index_);
  }

  [[nodiscard]] shard_front& front() const {
    return core_->front(index_);
  }

  [[nodiscard]] shard_heap& heap() const {
    return core_->heap(index_);
  }

  /// Tops the credit up, not at each event but when a good part of it is gone.
  [[nodiscard]] std::uint64_t bytes_to_lend() const {
    auto capacity = core_->options().store_size_bytes / core_->options().shards;
    auto most = std::min(core_->options().lent_bytes, capacity);
    auto available = front().available();
    if (available >= most / 2)
      return 0;
    auto bytes = std::min<std::uint64_t>(most - available, table_->lendable_bytes());
    return bytes >= most / 16 ? bytes : 0;
  }

  // -- requests -----------------------------------------------------------------------------------

  void apply(const grant_create& effect) {
    auto& held = slot_of(effect.id);
    auto memory = heap().allocate(held.copy->arena_bytes());
    if (!memory)
      return table_->room_refused(effect.id, effects_);
    if (!held.room)
      return move_in(held, *std::move(memory));
    held.in_transfer = true;
    held.copy->memory = copy_memory{*std::move(memory)};
    std::exchange(held.room, nullptr)->grant();
  }

  /// Moves an actor's object into the arena: at once, or, if that takes long, in an actor of its own,
  /// so that nobody waits for the shard meanwhile.
  void move_in(shard_slot& held, arena_block memory) {
    if (held.copy->size_bytes <= most_moved_here) {
      std::ranges::copy(held.copy->storage(), memory.bytes().begin());
      return finish_admission(held, std::move(memory));
    }
    held.in_transfer = true;
    auto target = std::make_shared<arena_block>(std::move(memory));
    core_->system().spawn<caf::hidden>(
      [copy = held.copy, target, shard = store_shard_actor{self_},
       sequence = held.entry->sequence()](caf::event_based_actor* mover) {
        std::ranges::copy(copy->storage(), target->bytes().begin());
        mover->send(shard, copy_moved{sequence, target});
      });
  }

  void finish_admission(shard_slot& held, arena_block memory) {
    auto& copy = *held.copy;
    held.in_transfer = false;
    copy.memory = copy_memory{std::move(memory)};
    readers_->open(held.entry->id(), held);
    auto entry = std::exchange(held.waiting, object_handle{});
    entry->seal_stored(copy);
    table_->seal(entry->id(), effects_);
  }

  void apply(const serve_copy& effect) {
    slot_of(effect.id).entry->restored();
  }

  void apply(const refuse_request& effect) {
    auto reason = refusal_error(effect, core_->options(), heap().shortage());
    reason.origin = core_->origin();
    auto found = slots_.find(effect.id.sequence);
    if (found == slots_.end())
      return;
    auto& held = found->second;
    if (auto entry = std::move(held.waiting)) {
      slots_.erase(found);
      entry->seal_failed(std::move(reason));
    } else if (auto room = std::move(held.room)) {
      slots_.erase(found);
      room->refuse(std::move(reason));
    } else if (effect.error == refusal::copy_lost) {
      held.entry->lose(std::move(reason));
    } else {
      held.entry->refuse_readers(reason);
    }
  }

  // -- memory -------------------------------------------------------------------------------------

  void apply(const try_reclaim& effect) {
    auto& held = slot_of(effect.id);
    if (refused_as_used(effect.id, held, effect.known_use))
      return;
    auto result = effect.reason == reclaim_reason::release ? readers_->doom(held)
                                                           : readers_->reclaim(held);
    if (result == reclaim_result::reclaimed)
      table_->reclaim_succeeded(effect.id, effects_);
    else
      refuse_reclaim(effect.id, reclaim_obstacle::pinned);
  }

  void refuse_reclaim(const object_id& id, reclaim_obstacle obstacle) {
    table_->reclaim_refused(id, obstacle, slot_of(id).copy->pins.last_use(), effects_);
  }

  void apply(const check_idle& effect) {
    auto& held = slot_of(effect.id);
    if (refused_as_used(effect.id, held, effect.known_use))
      return;
    if (readers_->look(held) == pin_state::pinned)
      refuse_reclaim(effect.id, reclaim_obstacle::pinned);
    else
      table_->found_idle(effect.id, effects_);
  }

  /// Answers for a copy that was used since the table last asked.
  bool refused_as_used(const object_id& id, shard_slot& held, std::optional<use_stamp> known_use) {
    if (!known_use || readers_->last_use(held, table_->current_stamp()) == *known_use)
      return false;
    refuse_reclaim(id, readers_->look(held) == pin_state::pinned ? reclaim_obstacle::pinned
                                                       : reclaim_obstacle::used);
    return true;
  }

  void apply(const free_copy& effect) {
    auto& copy = *slot_of(effect.id).copy;
    copy.value.rebind({});
    copy.memory.reset();
  }

  // -- disk ---------------------------------------------------------------------------------------

  void apply(const spill_object& effect) {
    auto& held = slot_of(effect.id);
    held.in_transfer = true;
    self_->send(core_->spill_manager(),
                write_copy{.id = effect.id, .copy = held.copy, .about = held.copy->describe()});
  }

  void apply(const forget_spill& effect) {
    self_->send(core_->spill_manager(), forget_copy{effect.id});
  }

  void apply(const restore_object& effect) {
    auto& held = slot_of(effect.id);
    auto memory = heap().allocate(held.copy->arena_bytes());
    if (!memory)
      return table_->room_refused(effect.id, effects_);
    held.in_transfer = true;
    held.copy->memory = copy_memory{*std::move(memory)};
    self_->send(core_->spill_manager(), read_copy{effect.id});
  }

  // -- credit -------------------------------------------------------------------------------------

  void apply(const lend_credit& effect) {
    front().add(effect.bytes);
  }

  void apply(const recall_credit&) {
    table_->recall_answered(front().take_all(), effects_);
  }

  // -- pressure -----------------------------------------------------------------------------------

  void apply(const report_stall& effect) {
    // Creators seal or give up by themselves. Otherwise references and views may go meanwhile, and
    // a disk may recover.
    if (effect.cause == stall_cause::readers)
      forget_dead_readers();
    if (effect.cause != stall_cause::creators)
      self_->delayed_send(self_, core_->options().full_timeout,
                          stall_timed_out{static_cast<std::uint64_t>(effect.number)});
  }

  /// A process that died with pins reports nothing.
  void forget_dead_readers() {
    core_->clear_dead_readers();
    for (const auto& id : readers_->drained())
      table_->unpinned(id, effects_);
  }

  void apply(const report_pressure& effect) {
    log_info(fmt::format("shard {} of node {}: {}, {} of {} bytes in use", index_,
                         to_string(core_->incarnation()), describe(effect.level),
                         table_->used_bytes(), core_->options().store_size_bytes
                                                 / core_->options().shards));
  }

  void apply(const report_shard_drained&) {
    // The table is never asked to drain: views may outlive the shard.
  }

  // -- end of objects -----------------------------------------------------------------------------

  void drop_unknown(const object_id& id) {
    if (!table_->contains(id))
      slots_.erase(id.sequence);
  }

  core_pointer core_;
  std::uint32_t index_ = 0;
  self_pointer self_ = nullptr;
  std::optional<shard_table> table_;
  std::optional<shard_readers> readers_;
  shard_effects effects_;
  std::unordered_map<std::uint64_t, shard_slot> slots_;
  std::uint64_t tokens_ = 0;
};

store_shard_actor::behavior_type
store_shard(store_shard_actor::stateful_pointer<store_shard_state> self, node_core* core,
            std::uint32_t index) {
  auto& state = self->state;
  state.init(*core, index, self);
  return {
    [&state](adopt_copy& request) { state.adopt(request); },
    [&state](admit_copy& request) { state.admit(request); },
    [&state](copy_moved& answer) { state.moved_in(answer); },
    [&state](reserve_room& request) { state.reserve(request); },
    [&state](const seal_reserved& request) { state.seal(request); },
    [&state](const abort_reserved& request) { state.abort(request); },
    [&state](const return_credit& request) { state.take_credit_back(request); },
    [&state](const release_copy& request) { state.release(request); },
    [&state](const want_copy& request) { state.want(request); },
    [&state](const copy_unpinned& hint) { state.unpinned(hint); },
    [&state](const copy_written& answer) { state.written(answer); },
    [&state](const copy_not_written& answer) { state.not_written(answer); },
    [&state](const copy_read& answer) { state.read(answer); },
    [&state](const copy_not_read& answer) { state.not_read(answer); },
    [&state](spilling_possible_again) { state.spilling_possible(); },
    [&state](const stall_timed_out& timer) { state.stall_over(timer); },
    [&state](collect_stats& request) { state.collect(request); },
    [&state](check_tables) { state.check(); },
    [&state](shut_down) { state.stop(); },
  };
}

} // namespace

store_shard_actor spawn_store_shard(node_core& core, std::uint32_t index) {
  return spawn_service(core.system(), store_shard, &core, index);
}

} // namespace mobula

// Carries out what the store's table decides for this shard: gives memory, takes it back from
// readers, spills, restores and refuses. Carrying out one effect may append others.

#include <algorithm>
#include <utility>

#include <caf/event_based_actor.hpp>
#include <fmt/format.h>

#include "mobula/actors/caf/caf_log.hpp"
#include "mobula/actors/shard/refusal_error.hpp"
#include "store_shard_state.hpp"

namespace mobula {

namespace {

/// Copying this much takes less than a message's detour.
constexpr std::size_t max_moved_here = std::size_t{256} << 10U;

std::string_view describe(pressure_level level) {
  switch (level) {
    case pressure_level::calm:
      return "enough space again";
    case pressure_level::relieving:
      return "above the threshold, moving objects out";
    case pressure_level::waiting:
      return "full, requests wait for space";
    case pressure_level::stalled:
      return "full, and nothing can move out";
  }
  return "in no known state";
}

} // namespace

object_id store_shard_state::id_of(std::uint64_t sequence) const {
  return {.owner = core_->incarnation(), .sequence = sequence};
}

shard_slot& store_shard_state::slot_of(const object_id& id) {
  return slots_.at(id.sequence);
}

/// The request may be granted until the table hears of this.
void store_shard_state::withdraw_unless_granted(request_token token, const object_id& id) {
  tell(&store_table::cancel, token);
  run();
  auto held = slots_.find(id.sequence);
  if (held == slots_.end() || !held->second.reservation)
    return;
  auto reservation = std::move(held->second.reservation);
  slots_.erase(held);
  reservation->refuse({.type = error_type::store_full, .message = "no space at once"});
}

/// Tokens of all shards differ.
request_token store_shard_state::next_token() {
  return request_token{++tokens_ * core_->options().shards + index_};
}

void store_shard_state::wake_others() {
  for (auto shard : woken_)
    self_->send(core_->shards()[shard], effects_waiting{});
  woken_.clear();
}

/// Carrying one out may append others.
void store_shard_state::carry_out() {
  carrying_out_ = true;
  for (std::size_t next = 0; next < effects_.size(); ++next) {
    auto effect = effects_[next];
    std::visit([this](const auto& content) { apply(content); }, effect);
  }
  effects_.clear();
  carrying_out_ = false;
}

void store_shard_state::run() {
  carry_out();
  for (const auto& id : std::exchange(freed_, {}))
    drop_unknown(id);
  if (heap().below_stock(core_->stock()))
    core_->request_fill();
}

store_space& store_shard_state::space() const {
  return core_->space();
}

shared_heap& store_shard_state::heap() const {
  return core_->heap();
}

// -- requests -----------------------------------------------------------------------------------

void store_shard_state::apply(const grant_create& effect) {
  auto& held = slot_of(effect.id);
  auto memory = heap().allocate(held.copy->arena_bytes());
  if (!memory)
    return tell(&store_table::memory_refused, effect.id);
  if (held.pull) {
    held.pull.reset();
    held.lend_memory(*std::move(memory));
    return self_->send(core_->transfers(),
                       pull_buffer_answered{held.copy->pulled_as, std::nullopt});
  }
  if (held.leaving_heap)
    return move_from_heap(effect.id, held, *std::move(memory));
  if (!held.reservation)
    return move_in(held, *std::move(memory));
  held.lend_memory(*std::move(memory));
  std::exchange(held.reservation, nullptr)->grant();
}

/// Moves an actor's object into the arena: at once, or, if that takes long, in an actor of its own,
/// so that nobody waits for the shard meanwhile.
void store_shard_state::move_in(shard_slot& held, arena_block memory) {
  if (held.copy->size_bytes <= max_moved_here) {
    std::ranges::copy(held.copy->storage(), memory.bytes().begin());
    return held.leaving_heap ? finish_leaving_heap(held, std::move(memory))
                             : finish_admission(held, std::move(memory));
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

void store_shard_state::finish_admission(shard_slot& held, arena_block memory) {
  auto& copy = *held.copy;
  held.in_transfer = false;
  copy.memory = copy_memory{std::move(memory)};
  // What the value was in until now counted there.
  core_->heap_freed();
  readers_->open(held.entry->id(), held);
  auto entry = std::exchange(held.waiting, object_handle{});
  auto is_wanted = entry->seal_stored(copy);
  tell(&store_table::seal, entry->id());
  if (is_wanted)
    return;
  tell(&store_table::release, entry->id());
  held.freed = std::move(entry);
}

void store_shard_state::apply(const serve_copy& effect) {
  slot_of(effect.id).entry->restored();
}

void store_shard_state::apply(const refuse_request& effect) {
  auto found = slots_.find(effect.id.sequence);
  if (found == slots_.end())
    return;
  if (found->second.pull)
    return refuse_pull(effect.id.sequence, effect);
  auto reason = refusal_error(effect, core_->options(), heap(), core_->latest_disk_trouble());
  reason.origin = core_->origin();
  auto& held = found->second;
  if (auto leaving = std::move(held.leaving_heap)) {
    auto frees = held.frees_before;
    slots_.erase(found);
    refuse_leaving(leaving, effect.error, frees);
  } else if (auto entry = std::move(held.waiting)) {
    auto copy = held.copy;
    slots_.erase(found);
    if (keep_in_heap(*copy) && entry->seal_stored(*copy))
      return;
    copy.reset();
    core_->heap_freed();
    entry->seal_failed(std::move(reason));
  } else if (auto reservation = std::move(held.reservation)) {
    slots_.erase(found);
    reservation->refuse(std::move(reason));
  } else if (effect.error == refusal::copy_lost) {
    held.entry->lose(std::move(reason));
  } else {
    held.entry->refuse_readers(reason);
  }
}

// -- memory -------------------------------------------------------------------------------------

void store_shard_state::apply(const try_reclaim& effect) {
  auto& held = slot_of(effect.id);
  if (refused_as_used(effect.id, held, effect.known_use))
    return;
  auto result =
    effect.reason == reclaim_reason::release ? readers_->doom(held) : readers_->reclaim(held);
  if (result == reclaim_result::reclaimed) {
    held.take_memory_back();
    // What was decoded of the value went, too.
    core_->heap_freed();
    return tell(&store_table::reclaim_succeeded, effect.id);
  }
  refuse_reclaim(effect.id, reclaim_obstacle::pinned);
  // A node may read on for a while after the session ended here, and then has nobody to report to.
  if (effect.reason == reclaim_reason::release && held.shown != no_slot
      && readers_->has_readers_elsewhere())
    look_later();
}

void store_shard_state::refuse_reclaim(const object_id& id, reclaim_obstacle obstacle) {
  tell(&store_table::reclaim_refused, id, obstacle, slot_of(id).copy->pins.last_use());
}

void store_shard_state::apply(const check_idle& effect) {
  auto& held = slot_of(effect.id);
  if (refused_as_used(effect.id, held, effect.known_use))
    return;
  if (readers_->look(held) == pin_state::pinned)
    refuse_reclaim(effect.id, reclaim_obstacle::pinned);
  else
    tell(&store_table::found_idle, effect.id);
}

/// Answers for a copy that was used since the table last asked.
bool store_shard_state::refused_as_used(const object_id& id, shard_slot& held,
                                        std::optional<use_stamp> known_use) {
  if (!known_use || readers_->last_use(held, space().credit().stamp()) == *known_use)
    return false;
  refuse_reclaim(id, readers_->look(held) == pin_state::pinned ? reclaim_obstacle::pinned
                                                               : reclaim_obstacle::used);
  return true;
}

void store_shard_state::apply(const free_copy& effect) {
  freed_.push_back(effect.id);
  // Space that was taken for a value of the heap, and a reader kept it where it is, is no space
  // that was not there before.
  if (!slot_of(effect.id).copy->in_heap.load(std::memory_order_relaxed)
      && core_->count_store_free())
    self_->send(core_->heap_keeper(), store_has_space{});
  if (const auto& held = slot_of(effect.id);
      effect.reason == free_reason::evicted && !held.pulled_from.empty())
    self_->send(core_->cluster(), copy_evicted{held.pulled_from, held.ticket});
}

// -- disk ---------------------------------------------------------------------------------------

void store_shard_state::apply(const spill_object& effect) {
  auto& held = slot_of(effect.id);
  held.in_transfer = true;
  self_->send(core_->spill_manager(),
              write_copy{.id = effect.id, .copy = held.copy, .metadata = held.copy->describe()});
}

void store_shard_state::apply(const forget_spill& effect) {
  self_->send(core_->spill_manager(), forget_copy{effect.id});
}

void store_shard_state::apply(const restore_object& effect) {
  auto& held = slot_of(effect.id);
  auto memory = heap().allocate(held.copy->arena_bytes());
  if (!memory)
    return tell(&store_table::memory_refused, effect.id);
  held.lend_memory(*std::move(memory));
  self_->send(core_->spill_manager(), read_copy{effect.id});
}

// -- credit -------------------------------------------------------------------------------------

void store_shard_state::apply(const lend_credit&) {
  // The space has seen to it already.
}

void store_shard_state::apply(const recall_credit&) {
  // As above.
}

// -- pressure -----------------------------------------------------------------------------------

void store_shard_state::apply(const report_stall& effect) {
  // References and views may go meanwhile, creators seal or give up, and a disk may recover. But a
  // creator may be the very thread that waits, or one that waits for it.
  timers_.stop(std::exchange(hope_, {}));
  hope_ = timers_.start(core_->options().full_timeout, [this, number = effect.number] {
    core_->count_message();
    tell(&store_table::give_up, number);
    run();
  });
}

void store_shard_state::apply(const report_stall_over&) {
  timers_.stop(std::exchange(hope_, {}));
}

void store_shard_state::apply(const check_readers&) {
  forget_dead_readers();
}

/// A process that died with pins reports nothing.
void store_shard_state::forget_dead_readers() {
  // A place that could not be asked counts as living.
  static_cast<void>(core_->clear_dead_readers());
  for (const auto& id : readers_->drained())
    tell(&store_table::unpinned, id);
}

void store_shard_state::apply(const report_pressure& effect) {
  auto use = space().inspect([](const store_table& table) { return table.use(); });
  log_info(fmt::format("store of node {}: {}, {} of {} bytes in use",
                       to_string(core_->incarnation()), describe(effect.level),
                       use.capacity_bytes - use.free_bytes(), use.capacity_bytes));
}

void store_shard_state::apply(const report_store_drained&) {
  // The table is never asked to drain: views may outlive the shards.
}

// -- end of objects -----------------------------------------------------------------------------

void store_shard_state::drop_unknown(const object_id& id) {
  if (!space().inspect([&](const store_table& table) { return table.contains(id); }))
    slots_.erase(id.sequence);
}
} // namespace mobula

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "mobula/actors/refusal_error.hpp"
#include "store_shard_state.hpp"

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

} // namespace

object_id store_shard_state::id_of(std::uint64_t sequence) const {
  return {.owner = core_->incarnation(), .sequence = sequence};
}

shard_slot& store_shard_state::slot_of(const object_id& id) {
  return slots_.at(id.sequence);
}

void store_shard_state::withdraw_unless_granted(request_token token, const object_id& id) {
  auto held = slots_.find(id.sequence);
  if (held == slots_.end() || !held->second.room)
    return;
  auto room = std::move(held->second.room);
  slots_.erase(held);
  table_->cancel(token, effects_);
  run();
  room->refuse({.type = error_type::store_full, .message = "no room at once"});
}

request_token store_shard_state::next_token() {
  return request_token{++tokens_};
}

/// Carries effects out; carrying one out may append others. Then lends room again.
void store_shard_state::run() {
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
  for (const auto& id : std::exchange(freed_, {}))
    drop_unknown(id);
  front().set_stamp(table_->current_stamp());
  if (heap().below_stock(core_->stock()))
    core_->request_fill(index_);
}

shard_front& store_shard_state::front() const {
  return core_->front(index_);
}

shard_heap& store_shard_state::heap() const {
  return core_->heap(index_);
}

/// Tops the credit up, not at each event but when a good part of it is gone.
std::uint64_t store_shard_state::bytes_to_lend() const {
  auto capacity = core_->options().shard_bytes();
  auto most = std::min(core_->options().lent_bytes, capacity);
  auto available = front().available();
  if (available >= most / 2)
    return 0;
  auto bytes = std::min<std::uint64_t>(most - available, table_->lendable_bytes());
  return bytes >= most / 64 ? bytes : 0;
}
// -- requests -----------------------------------------------------------------------------------

void store_shard_state::apply(const grant_create& effect) {
  auto& held = slot_of(effect.id);
  auto memory = heap().allocate(held.copy->arena_bytes());
  if (!memory)
    return table_->room_refused(effect.id, effects_);
  if (held.pull) {
    held.pull.reset();
    held.lend_memory(*std::move(memory));
    return self_->send(core_->transfers(), pull_room_answered{held.copy->pulled_as, std::nullopt});
  }
  if (!held.room)
    return move_in(held, *std::move(memory));
  held.lend_memory(*std::move(memory));
  std::exchange(held.room, nullptr)->grant();
}

/// Moves an actor's object into the arena: at once, or, if that takes long, in an actor of its own,
/// so that nobody waits for the shard meanwhile.
void store_shard_state::move_in(shard_slot& held, arena_block memory) {
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

void store_shard_state::finish_admission(shard_slot& held, arena_block memory) {
  auto& copy = *held.copy;
  held.in_transfer = false;
  copy.memory = copy_memory{std::move(memory)};
  readers_->open(held.entry->id(), held);
  auto entry = std::exchange(held.waiting, object_handle{});
  auto is_wanted = entry->seal_stored(copy);
  table_->seal(entry->id(), effects_);
  if (is_wanted)
    return;
  table_->release(entry->id(), effects_);
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
  auto reason = refusal_error(effect, core_->options(), heap().shortage());
  reason.origin = core_->origin();
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

void store_shard_state::apply(const try_reclaim& effect) {
  auto& held = slot_of(effect.id);
  if (refused_as_used(effect.id, held, effect.known_use))
    return;
  auto result =
    effect.reason == reclaim_reason::release ? readers_->doom(held) : readers_->reclaim(held);
  if (result == reclaim_result::reclaimed)
    return table_->reclaim_succeeded(effect.id, effects_);
  refuse_reclaim(effect.id, reclaim_obstacle::pinned);
  // A node may read on for a while after the session ended here, and then has nobody to report to.
  if (effect.reason == reclaim_reason::release && held.shown != no_slot)
    keep_looking();
}

void store_shard_state::refuse_reclaim(const object_id& id, reclaim_obstacle obstacle) {
  table_->reclaim_refused(id, obstacle, slot_of(id).copy->pins.last_use(), effects_);
}

void store_shard_state::apply(const check_idle& effect) {
  auto& held = slot_of(effect.id);
  if (refused_as_used(effect.id, held, effect.known_use))
    return;
  if (readers_->look(held) == pin_state::pinned)
    refuse_reclaim(effect.id, reclaim_obstacle::pinned);
  else
    table_->found_idle(effect.id, effects_);
}

/// Answers for a copy that was used since the table last asked.
bool store_shard_state::refused_as_used(const object_id& id, shard_slot& held,
                                        std::optional<use_stamp> known_use) {
  if (!known_use || readers_->last_use(held, table_->current_stamp()) == *known_use)
    return false;
  refuse_reclaim(id, readers_->look(held) == pin_state::pinned ? reclaim_obstacle::pinned
                                                               : reclaim_obstacle::used);
  return true;
}

void store_shard_state::apply(const free_copy& effect) {
  auto& copy = *slot_of(effect.id).copy;
  copy.value.rebind({});
  copy.memory.reset();
  freed_.push_back(effect.id);
  if (const auto& held = slot_of(effect.id);
      effect.reason == free_reason::evicted && !held.pulled_from.empty())
    self_->send(core_->cluster(), copy_evicted{held.pulled_from, held.ticket});
}

// -- disk ---------------------------------------------------------------------------------------

void store_shard_state::apply(const spill_object& effect) {
  auto& held = slot_of(effect.id);
  held.in_transfer = true;
  self_->send(core_->spill_manager(),
              write_copy{.id = effect.id, .copy = held.copy, .about = held.copy->describe()});
}

void store_shard_state::apply(const forget_spill& effect) {
  self_->send(core_->spill_manager(), forget_copy{effect.id});
}

void store_shard_state::apply(const restore_object& effect) {
  auto& held = slot_of(effect.id);
  auto memory = heap().allocate(held.copy->arena_bytes());
  if (!memory)
    return table_->room_refused(effect.id, effects_);
  held.lend_memory(*std::move(memory));
  self_->send(core_->spill_manager(), read_copy{effect.id});
}

// -- credit -------------------------------------------------------------------------------------

void store_shard_state::apply(const lend_credit& effect) {
  front().add(effect.bytes);
}

void store_shard_state::apply(const recall_credit&) {
  table_->recall_answered(front().take_all(), effects_);
}

// -- pressure -----------------------------------------------------------------------------------

void store_shard_state::apply(const report_stall& effect) {
  // Creators seal or give up by themselves. Otherwise references and views may go meanwhile, and
  // a disk may recover.
  if (effect.cause == stall_cause::readers)
    forget_dead_readers();
  if (effect.cause != stall_cause::creators)
    hope_ = timers_.start(core_->options().full_timeout, [this, number = effect.number] {
      core_->count_message();
      table_->give_up(number, effects_);
      run();
    });
}

void store_shard_state::apply(const report_stall_over&) {
  timers_.stop(std::exchange(hope_, {}));
}

/// A process that died with pins reports nothing.
void store_shard_state::forget_dead_readers() {
  // A place that could not be asked counts as living.
  static_cast<void>(core_->clear_dead_readers());
  for (const auto& id : readers_->drained())
    table_->unpinned(id, effects_);
}

void store_shard_state::apply(const report_pressure& effect) {
  log_info(fmt::format("shard {} of node {}: {}, {} of {} bytes in use", index_,
                       to_string(core_->incarnation()), describe(effect.level),
                       table_->used_bytes(), core_->options().shard_bytes()));
}

void store_shard_state::apply(const report_shard_drained&) {
  // The table is never asked to drain: views may outlive the shard.
}

// -- end of objects -----------------------------------------------------------------------------

void store_shard_state::drop_unknown(const object_id& id) {
  if (!table_->contains(id))
    slots_.erase(id.sequence);
}
} // namespace mobula

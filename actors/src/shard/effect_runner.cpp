// Carries out what the store's table decides for a shard: each effect in turn, and those too that
// carrying one out brings about.

#include "effect_runner.hpp"

#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "mobula/actors/caf/caf_log.hpp"
#include "mobula/actors/messages/cluster_requests.hpp"
#include "mobula/actors/messages/spill_messages.hpp"
#include "mobula/actors/objects/waiting_readers.hpp"

namespace mobula {

namespace {

std::string_view name_of(pressure_level level) {
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

void effect_runner::carry_out(const shard_effects& effects) {
  for (std::size_t next = 0; next < effects.size(); ++next) {
    auto effect = effects[next];
    std::visit([this](const auto& content) { apply(content); }, effect);
  }
}

// -- requests -----------------------------------------------------------------------------------

void effect_runner::apply(const grant_create& effect) {
  auto& held = shard_.slot_of(effect.id);
  auto memory = shard_.heap().allocate(held.copy->arena_bytes());
  if (!memory)
    return shard_.tell(&store_table::memory_refused, effect.id);
  if (held.pull)
    return pulls_.grant(held, *std::move(memory));
  if (!held.reservation)
    return intake_.place(effect.id, held, *std::move(memory));
  held.lend_memory(*std::move(memory));
  std::exchange(held.reservation, nullptr)->grant();
}

void effect_runner::apply(const serve_copy& effect) {
  waiting_readers{*shard_.slot_of(effect.id).entry}.restored();
}

void effect_runner::apply(const refuse_request& effect) {
  auto number = effect.id.sequence;
  auto* held = shard_.find(number);
  if (held == nullptr)
    return;
  if (held->pull)
    return pulls_.refuse(number, effect);
  if (held->leaving_heap)
    return intake_.refuse_leaving(number, effect.error);
  auto reason = shard_.worded(effect);
  if (held->waiting) {
    intake_.refuse_waiting(number, std::move(reason));
  } else if (auto reservation = std::move(held->reservation)) {
    shard_.forget(number);
    reservation->refuse(std::move(reason));
  } else if (effect.error == refusal::copy_lost) {
    held->entry->lose(std::move(reason));
  } else {
    waiting_readers{*held->entry}.refuse(reason);
  }
}

// -- memory -------------------------------------------------------------------------------------

void effect_runner::apply(const try_reclaim& effect) {
  auto& held = shard_.slot_of(effect.id);
  if (refused_as_used(effect.id, held, effect.known_use))
    return;
  auto result = effect.reason == reclaim_reason::release ? shard_.readers().doom(held)
                                                         : shard_.readers().reclaim(held);
  if (result == reclaim_result::reclaimed) {
    held.take_memory_back();
    // What was decoded of the value went, too.
    shard_.node().heap_freed();
    return shard_.tell(&store_table::reclaim_succeeded, effect.id);
  }
  refuse_reclaim(effect.id, reclaim_obstacle::pinned);
  // A node may read on for a while after the session ended here, and then has nobody to report to.
  if (effect.reason == reclaim_reason::release && held.shown != no_slot
      && shard_.readers().has_readers_elsewhere())
    checks_.look_later();
}

void effect_runner::refuse_reclaim(const object_id& id, reclaim_obstacle obstacle) {
  shard_.tell(&store_table::reclaim_refused, id, obstacle,
              shard_.slot_of(id).copy->pins.last_use());
}

void effect_runner::apply(const check_idle& effect) {
  auto& held = shard_.slot_of(effect.id);
  if (refused_as_used(effect.id, held, effect.known_use))
    return;
  if (shard_.readers().look(held) == pin_state::pinned)
    refuse_reclaim(effect.id, reclaim_obstacle::pinned);
  else
    shard_.tell(&store_table::found_idle, effect.id);
}

/// Answers for a copy that was used since the table last asked.
bool effect_runner::refused_as_used(const object_id& id, shard_slot& held,
                                    std::optional<use_stamp> known_use) {
  if (!known_use || shard_.readers().last_use(held, shard_.space().credit().stamp()) == *known_use)
    return false;
  refuse_reclaim(id, shard_.readers().look(held) == pin_state::pinned ? reclaim_obstacle::pinned
                                                                      : reclaim_obstacle::used);
  return true;
}

void effect_runner::apply(const free_copy& effect) {
  shard_.drop_later(effect.id);
  // Space that was taken for a value of the heap, and a reader kept it where it is, is no space
  // that was not there before.
  if (!shard_.slot_of(effect.id).copy->in_heap.load(std::memory_order_relaxed)
      && shard_.node().heap_of_values().count_store_free())
    shard_.send(shard_.node().heap_keeper(), store_has_space{});
  if (const auto& held = shard_.slot_of(effect.id);
      effect.reason == free_reason::evicted && !held.pulled_from.empty())
    shard_.send(shard_.node().cluster(), copy_evicted{held.pulled_from, held.ticket});
}

// -- disk ---------------------------------------------------------------------------------------

void effect_runner::apply(const spill_object& effect) {
  auto& held = shard_.slot_of(effect.id);
  held.in_transfer = true;
  shard_.send(shard_.node().spill_manager(),
              write_copy{.id = effect.id, .copy = held.copy, .metadata = held.copy->describe()});
}

void effect_runner::apply(const forget_spill& effect) {
  shard_.send(shard_.node().spill_manager(), forget_copy{effect.id});
}

void effect_runner::apply(const restore_object& effect) {
  auto& held = shard_.slot_of(effect.id);
  auto memory = shard_.heap().allocate(held.copy->arena_bytes());
  if (!memory)
    return shard_.tell(&store_table::memory_refused, effect.id);
  held.lend_memory(*std::move(memory));
  shard_.send(shard_.node().spill_manager(), read_copy{effect.id});
}

// -- credit -------------------------------------------------------------------------------------

void effect_runner::apply(const lend_credit&) {
  // The space has seen to it already.
}

void effect_runner::apply(const recall_credit&) {
  // As above.
}

// -- pressure -----------------------------------------------------------------------------------

void effect_runner::apply(const report_stall& effect) {
  // References and views may go meanwhile, creators seal or give up, and a disk may recover. But a
  // creator may be the very thread that waits, or one that waits for it.
  shard_.timers().stop(std::exchange(hope_, {}));
  hope_ =
    shard_.timers().start(shard_.node().options().full_timeout, [this, number = effect.number] {
      shard_.node().count_message();
      shard_.tell(&store_table::give_up, number);
      shard_.run();
    });
}

void effect_runner::apply(const report_stall_over&) {
  shard_.timers().stop(std::exchange(hope_, {}));
}

void effect_runner::apply(const check_readers&) {
  checks_.forget_dead_readers();
}

void effect_runner::apply(const report_pressure& effect) {
  auto use = shard_.space().inspect([](const store_table& table) { return table.use(); });
  log_info(fmt::format("store of node {}: {}, {} of {} bytes in use",
                       to_string(shard_.node().incarnation()), name_of(effect.level),
                       use.capacity_bytes - use.free_bytes(), use.capacity_bytes));
}

void effect_runner::apply(const report_store_drained&) {
  // The table is never asked to drain: views may outlive the shards.
}

} // namespace mobula

// The actor for a share of the store's objects: turns messages of creators, owner, readers and disk
// into events of the store's table, and hands those of others to the part that they concern.

#include "mobula/actors/shard/store_shard.hpp"

#include <memory>
#include <optional>
#include <utility>

#include "effect_runner.hpp"
#include "mobula/actors/caf/spawn_service.hpp"
#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/messages/shard_messages.hpp"
#include "mobula/actors/messages/stats_request.hpp"
#include "mobula/actors/node/service_state.hpp"
#include "pull_buffers.hpp"
#include "reader_checks.hpp"
#include "shard_core.hpp"
#include "shard_intake.hpp"
#include "shard_report.hpp"

namespace mobula {

namespace {

class store_shard_state : public service_state<store_shard_actor, service_kind::shard> {
public:
  void init(std::uint32_t index);

  void end() {
    if (shard_)
      shard_->close();
  }

  behavior_type handlers();

  // -- creators -----------------------------------------------------------------------------------

  void add_sealed(copy_sealed& request);
  void take_credit_back(const return_credit& request);
  void reserve(reserve_space& request);
  void seal(const seal_reserved& request);
  void abort(const abort_reserved& request);

  // -- owner and readers --------------------------------------------------------------------------

  void release(const release_copy& request);
  void free(free_copy_of& request);
  void make_readable(const request_copy& request);
  void unpinned(const copy_unpinned& hint);

  // -- spill manager ------------------------------------------------------------------------------

  void written(const copy_written& answer);
  void not_written(const copy_not_written& answer);
  void read(const copy_read& answer);
  void not_read(const copy_not_read& answer);
  void spilling_possible(const spilling_possible_again& news);

  // -- other shards, and the node -----------------------------------------------------------------

  void look_at_effects(effects_waiting);
  void collect(collect_stats& message);
  void check(check_tables);

private:
  void withdraw_unless_granted(request_token token, const object_id& id);

  // Made by `init`, as they need the actor.
  std::optional<shard_core> shard_;
  std::optional<reader_checks> checks_;
  std::optional<shard_intake> intake_;
  std::optional<pull_buffers> pulls_;
  std::optional<effect_runner> runner_;
  std::optional<shard_report> report_;
};

void store_shard_state::init(std::uint32_t index) {
  shard_.emplace(*core_, index, self_);
  checks_.emplace(*shard_);
  intake_.emplace(*shard_);
  pulls_.emplace(*shard_);
  runner_.emplace(*shard_, *checks_, *intake_, *pulls_);
  report_.emplace(*shard_);
}

store_shard_state::behavior_type store_shard_state::handlers() {
  return {
    counted<&store_shard_state::add_sealed>(),
    counted<&store_shard_state::take_credit_back>(),
    counted<&store_shard_state::reserve>(),
    counted<&store_shard_state::seal>(),
    counted<&store_shard_state::abort>(),
    counted<&shard_intake::accept>(*intake_),
    counted<&shard_intake::accept_from_heap>(*intake_),
    counted<&shard_intake::moved_in>(*intake_),
    counted<&shard_intake::drop_decoded>(*intake_),
    counted<&store_shard_state::release>(),
    counted<&store_shard_state::free>(),
    counted<&store_shard_state::make_readable>(),
    counted<&store_shard_state::unpinned>(),
    counted<&reader_checks::node_lost>(*checks_),
    counted<&pull_buffers::reserve>(*pulls_),
    counted<&pull_buffers::withdraw>(*pulls_),
    counted<&pull_buffers::take_back>(*pulls_),
    counted<&pull_buffers::seal>(*pulls_),
    counted<&pull_buffers::release>(*pulls_),
    counted<&store_shard_state::written>(),
    counted<&store_shard_state::not_written>(),
    counted<&store_shard_state::read>(),
    counted<&store_shard_state::not_read>(),
    counted<&store_shard_state::spilling_possible>(),
    counted<&store_shard_state::look_at_effects>(),
    uncounted<&store_shard_state::collect>(),
    uncounted<&store_shard_state::check>(),
    uncounted<&store_shard_state::stop>(),
  };
}

// -- creators -------------------------------------------------------------------------------------

void store_shard_state::add_sealed(copy_sealed& request) {
  auto id = request.entry->id();
  auto size = request.copy->space_bytes();
  shard_->space().backlog(shard_->index()).settle(size);
  auto& held = shard_->add(id.sequence, shard_slot{std::move(request.copy), request.entry.get()});
  shard_->readers().publish(id, held);
  shard_->tell(&store_table::add_sealed, id, size, copy_kind::primary);
  shard_->run();
}

void store_shard_state::take_credit_back(const return_credit& request) {
  shard_->space().backlog(shard_->index()).settle(request.bytes);
  shard_->tell(&store_table::take_back, request.bytes);
  shard_->run();
}

void store_shard_state::reserve(reserve_space& request) {
  auto id = shard_->id_of(request.sequence);
  auto size = request.copy->space_bytes();
  shard_slot held{std::move(request.copy), nullptr};
  held.reservation = std::move(request.request);
  shard_->add(request.sequence, std::move(held));
  auto token = shard_->next_token();
  shard_->tell(&store_table::create, token, id, size, copy_kind::primary);
  shard_->run();
  if (request.until == patience::none)
    withdraw_unless_granted(token, id);
}

void store_shard_state::seal(const seal_reserved& request) {
  auto id = request.entry->id();
  auto& held = shard_->slot_of(id);
  held.keep(*request.entry.get());
  held.in_transfer = false;
  shard_->readers().publish(id, held);
  shard_->tell(&store_table::seal, id);
  shard_->run();
}

void store_shard_state::abort(const abort_reserved& request) {
  auto id = shard_->id_of(request.sequence);
  shard_->slot_of(id).take_memory_back();
  shard_->tell(&store_table::abort, id);
  shard_->run();
  shard_->drop_unknown(id);
}

/// The request may be granted until the table hears of this.
void store_shard_state::withdraw_unless_granted(request_token token, const object_id& id) {
  shard_->tell(&store_table::cancel, token);
  shard_->run();
  auto* held = shard_->find(id.sequence);
  if (held == nullptr || !held->reservation)
    return;
  auto reservation = std::move(held->reservation);
  shard_->forget(id.sequence);
  reservation->refuse({.type = error_type::store_full, .message = "no space at once"});
}

// -- owner and readers ----------------------------------------------------------------------------

void store_shard_state::release(const release_copy& request) {
  auto token = std::move(*request.token);
  auto id = shard_->id_of(number_in_shard(*token));
  auto* held = shard_->find(id.sequence);
  // A lost copy is gone already; only the entry is left to go.
  if (held == nullptr)
    return;
  held->token = std::move(token);
  shard_->tell(&store_table::release, id);
  shard_->run();
  shard_->drop_unknown(id);
}

/// What is on its way into the store is freed when it has arrived, by who brings it.
void store_shard_state::free(free_copy_of& request) {
  auto id = request.entry->id();
  auto* held = shard_->find(id.sequence);
  if (held == nullptr)
    return;
  held->freed = std::move(request.entry);
  shard_->tell(&store_table::release, id);
  shard_->run();
  shard_->drop_unknown(id);
}

void store_shard_state::make_readable(const request_copy& request) {
  shard_->tell(&store_table::request_copy, shard_->next_token(), shard_->id_of(request.sequence));
  shard_->run();
}

void store_shard_state::unpinned(const copy_unpinned& hint) {
  auto id = shard_->id_of(hint.sequence);
  shard_->tell(&store_table::unpinned, id);
  shard_->run();
  shard_->drop_unknown(id);
}

// -- spill manager --------------------------------------------------------------------------------

void store_shard_state::written(const copy_written& answer) {
  shard_->slot_of(answer.id).in_transfer = false;
  shard_->tell(&store_table::spill_finished, answer.id);
  shard_->run();
  shard_->drop_unknown(answer.id);
}

void store_shard_state::not_written(const copy_not_written& answer) {
  shard_->slot_of(answer.id).in_transfer = false;
  shard_->tell(&store_table::spill_failed, answer.id, answer.reason, answer.round);
  shard_->run();
  shard_->drop_unknown(answer.id);
}

void store_shard_state::read(const copy_read& answer) {
  shard_->slot_of(answer.id).in_transfer = false;
  shard_->readers().open(answer.id, shard_->slot_of(answer.id));
  shard_->tell(&store_table::restore_finished, answer.id);
  shard_->run();
  shard_->drop_unknown(answer.id);
}

void store_shard_state::not_read(const copy_not_read& answer) {
  shard_->slot_of(answer.id).take_memory_back();
  shard_->tell(&store_table::restore_failed, answer.id, answer.reason);
  shard_->run();
  shard_->drop_unknown(answer.id);
}

void store_shard_state::spilling_possible(const spilling_possible_again& news) {
  shard_->tell(&store_table::spilling_possible, news.round);
  shard_->run();
}

// -- other shards, and the node -------------------------------------------------------------------

void store_shard_state::look_at_effects(effects_waiting) {
  shard_->collect_effects();
  shard_->run();
}

void store_shard_state::collect(collect_stats& message) {
  auto& stats = message.request->stats;
  report_->add_figures(stats);
  stats.peer_timers += checks_->awaits_look() ? 1 : 0;
  if (auto& listing = message.request->objects; listing)
    report_->describe(*listing);
  auto next = shard_->index() + 1;
  if (next < core_->shards().size())
    self_->send(core_->shards()[next], std::move(message));
  else
    self_->send(core_->spill_manager(), std::move(message));
}

void store_shard_state::check(check_tables) {
  shard_->heap().check_invariants();
  shard_->check_invariants();
}

} // namespace

store_shard_actor spawn_store_shard(node_core& core, std::uint32_t index) {
  return start_service<store_shard_state>(core, index);
}

} // namespace mobula

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mobula/actors/caf/actor_timers.hpp"
#include "mobula/actors/messages/heap_messages.hpp"
#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/messages/shard_messages.hpp"
#include "mobula/actors/messages/spill_messages.hpp"
#include "mobula/actors/messages/transfer_messages.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/node/service_state.hpp"
#include "mobula/actors/reports/node_report.hpp"
#include "mobula/actors/reports/node_stats.hpp"
#include "mobula/store/shard/store_space.hpp"
#include "shard_readers.hpp"

namespace mobula {

/// Feeds the store's table with what the actor is told (store_shard.cpp) and carries out those of
/// its effects that concern this shard (store_shard_effects.cpp).
class store_shard_state : public service_state<store_shard_actor, service_kind::shard> {
public:
  void init(std::uint32_t index);
  void end();
  behavior_type handlers();

  // -- creators -----------------------------------------------------------------------------------

  void add_sealed(copy_sealed& request);
  void accept(move_into_store& request);
  void accept_from_heap(take_from_heap& request);
  void drop_decoded(const drop_decoded_value& request);
  void take_credit_back(const return_credit& request);
  void moved_in(copy_moved& answer);
  void reserve(reserve_space& request);
  void seal(const seal_reserved& request);
  void abort(const abort_reserved& request);

  // -- owner and readers --------------------------------------------------------------------------

  void release(const release_copy& request);
  void free(free_copy_of& request);
  void make_readable(const request_copy& request);
  void unpinned(const copy_unpinned& hint);
  void node_lost(readers_lost);
  void look_later();
  void look_again();

  // -- transfers ----------------------------------------------------------------------------------

  void reserve_for_pull(const reserve_pull_buffer& request);
  void withdraw_buffer(const withdraw_pull_buffer& request);
  void return_buffer(const return_pull_buffer& request);
  void seal_pull(const seal_pulled& request);
  void release_pull(const release_pulled& request);

  // -- spill manager ------------------------------------------------------------------------------

  void written(const copy_written& answer);
  void not_written(const copy_not_written& answer);
  void read(const copy_read& answer);
  void not_read(const copy_not_read& answer);
  void spilling_possible(const spilling_possible_again& news);

  // -- other shards -------------------------------------------------------------------------------

  void look_at_effects(effects_waiting);

  // -- the node -----------------------------------------------------------------------------------

  void collect(collect_stats& message);
  void begin_use_period(object_listing& listing);
  void describe_objects(object_listing& listing);
  void describe_all(object_listing& listing) const;
  void add_store_figures(node_stats& stats) const;
  void check(check_tables);

private:
  [[nodiscard]] object_id id_of(std::uint64_t sequence) const;
  shard_slot& slot_of(const object_id& id);
  void withdraw_unless_granted(request_token token, const object_id& id);
  void answer_whole(const reserve_pull_buffer& request);
  void refuse_pull(std::uint64_t number, const refuse_request& effect);
  [[nodiscard]] error_info worded(const refuse_request& effect) const;
  request_token next_token();
  [[nodiscard]] store_space& space() const;
  [[nodiscard]] shared_heap& heap() const;

  /// Tells the table of an event. Whatever it asked of this shard before is carried out first, but
  /// for what stands behind an effect that is being carried out: the event is its answer then.
  template <class... Parameters, class... Arguments>
  void tell(void (store_table::*event)(Parameters...), Arguments... arguments) {
    tell(
      [&](store_table& table, store_effects& effects) { (table.*event)(arguments..., effects); });
  }

  template <class Event>
  void tell(Event event) {
    if (carrying_out_)
      space().answer(index_, effects_, woken_, event);
    else
      while (!space().try_event(index_, effects_, woken_, event))
        carry_out();
    wake_others();
  }

  void wake_others();
  void carry_out();
  void run();

  // -- requests -----------------------------------------------------------------------------------

  void apply(const grant_create& effect);
  void move_in(shard_slot& held, arena_block memory);
  void finish_admission(shard_slot& held, arena_block memory);
  void move_from_heap(const object_id& id, shard_slot& held, arena_block memory);
  void finish_leaving_heap(shard_slot& held, arena_block memory);
  [[nodiscard]] bool keep_in_heap(stored_copy& copy);
  void stays_in_heap(const object_handle& entry, heap_leave_end end, std::uint64_t frees = 0);
  void refuse_leaving(const object_handle& entry, refusal reason, std::uint64_t frees);
  void tell_keeper(heap_content content, std::uint64_t bytes, heap_leave_end end,
                   std::uint64_t frees = 0);
  void apply(const serve_copy& effect);
  void apply(const refuse_request& effect);

  // -- memory -------------------------------------------------------------------------------------

  void apply(const try_reclaim& effect);
  void refuse_reclaim(const object_id& id, reclaim_obstacle obstacle);
  void apply(const check_idle& effect);
  bool refused_as_used(const object_id& id, shard_slot& held, std::optional<use_stamp> known_use);
  void apply(const free_copy& effect);

  // -- disk ---------------------------------------------------------------------------------------

  void apply(const spill_object& effect);
  void apply(const forget_spill& effect);
  void apply(const restore_object& effect);

  // -- credit -------------------------------------------------------------------------------------

  void apply(const lend_credit&);
  void apply(const recall_credit&);

  // -- pressure -----------------------------------------------------------------------------------

  void apply(const report_stall& effect);
  void apply(const report_stall_over& effect);
  void apply(const check_readers&);
  void forget_dead_readers();
  void apply(const report_pressure& effect);
  void apply(const report_store_drained&);

  // -- end of objects -----------------------------------------------------------------------------

  void drop_unknown(const object_id& id);

  std::uint32_t index_ = 0;
  std::optional<shard_readers> readers_;
  shard_effects effects_;
  bool carrying_out_ = false;        ///< the effects
  std::vector<std::uint32_t> woken_; ///< shards that do not know yet that effects wait for them
  std::vector<object_id> freed_;     ///< by the effects that are being carried out
  std::unordered_map<std::uint64_t, shard_slot> slots_;
  std::vector<std::shared_ptr<space_request>> refused_at_end_; ///< once the node is told
  std::uint64_t tokens_ = 0;
  /// When reports began to tell new uses from old ones, and what readers leave since. Shard 0's.
  std::vector<std::pair<use_stamp, caf_clock::time_point>> use_periods_;
  actor_timers timers_;
  deadline next_look_; ///< at the readers
  deadline hope_;      ///< of those who wait in a stall
};

} // namespace mobula

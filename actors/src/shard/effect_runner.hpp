#pragma once

#include <optional>

#include "mobula/actors/caf/actor_timers.hpp"
#include "pull_buffers.hpp"
#include "reader_checks.hpp"
#include "shard_core.hpp"
#include "shard_intake.hpp"

namespace mobula {

/// The part of a shard that carries out what the store's table decides for it: gives memory, takes
/// it back from readers, spills, restores and refuses.
class effect_runner final : public effect_carrier {
public:
  /// REQUIRES: all of these outlive this; the shard has no other carrier.
  effect_runner(shard_core& shard, reader_checks& checks, shard_intake& intake, pull_buffers& pulls)
    : shard_(shard), checks_(checks), intake_(intake), pulls_(pulls) {
    shard.run_with(*this);
  }

  void carry_out(const shard_effects& effects) override;

private:
  // -- requests -----------------------------------------------------------------------------------

  void apply(const grant_create& effect);
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
  void apply(const report_pressure& effect);
  void apply(const report_store_drained&);

  shard_core& shard_;
  reader_checks& checks_;
  shard_intake& intake_;
  pull_buffers& pulls_;
  deadline hope_; ///< of those who wait in a stall
};

} // namespace mobula

#pragma once

#include "mobula/serialization/ids.hpp"
#include "mobula/store/spill/spill_effects.hpp"
#include "mobula/store/spill/spill_objects.hpp"

namespace mobula {

/// Spills and restores that come to nothing: their answers, and the rounds in which spills fail.
class spill_failures {
public:
  /// REQUIRES: both outlive this.
  spill_failures(spill_objects& objects, spill_stats& counters)
    : objects_(objects), counters_(counters) {
    // nop
  }

  spill_failures(const spill_failures&) = delete;
  spill_failures& operator=(const spill_failures&) = delete;

  /// Answers a spill of what is not here.
  void cancel(const object_id& id, spill_effects& effects) const;

  /// Answers a spill and forgets the object, which is in no queue, batch or file any more.
  void fail_spill(const object_id& id, spill_error error, spill_effects& effects);

  /// Answers a restore and forgets the object, whose record is dead.
  void fail_restore(const object_id& id, restore_error error, spill_effects& effects);

  /// Spills may succeed again. Begins a round if some have failed in this one.
  void begin_round_if_failed(spill_effects& effects);

  /// Returns whether spills have failed in this round.
  [[nodiscard]] bool spills_failed() const noexcept {
    return spills_failed_;
  }

private:
  spill_objects& objects_;
  spill_stats& counters_;
  spill_round round_{}; ///< raised by `report_spilling_possible`
  bool spills_failed_ = false;
};

} // namespace mobula

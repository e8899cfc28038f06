// How spills and restores end that come to nothing.

#include "mobula/store/spill/spill_failures.hpp"

#include <utility>

namespace mobula {

void spill_failures::cancel(const object_id& id, spill_effects& effects) const {
  effects.push_back(report_spill_failed{id, spill_error::canceled, round_});
}

void spill_failures::fail_spill(const object_id& id, spill_error error, spill_effects& effects) {
  if (error != spill_error::canceled) {
    ++counters_.spill_failures;
    spills_failed_ = true;
  }
  effects.push_back(report_spill_failed{id, error, round_});
  objects_.erase(id);
}

void spill_failures::fail_restore(const object_id& id, restore_error error,
                                  spill_effects& effects) {
  if (error != restore_error::canceled)
    ++counters_.restore_failures;
  effects.push_back(report_restore_failed{id, error});
  objects_.erase(id);
}

void spill_failures::begin_round_if_failed(spill_effects& effects) {
  if (!std::exchange(spills_failed_, false))
    return;
  round_ = spill_round{static_cast<std::uint64_t>(round_) + 1};
  effects.push_back(report_spilling_possible{round_});
}

} // namespace mobula

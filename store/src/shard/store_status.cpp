// How short of space a store is, whether it shuts down, and who is told of either.

#include "mobula/store/shard/store_status.hpp"

#include <utility>

#include "mobula/store/shard/store_requests.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

void store_status::begin_shutdown() {
  MOBULA_ASSERT(is_running());
  phase_ = phase::shutting_down;
}

void store_status::tell_changes(store_effects& effects) {
  auto pressure = measure();
  if (std::exchange(pressure_, pressure) != pressure)
    store_requests::tell_first(effects, report_pressure{pressure});
  if (phase_ == phase::shutting_down && is_empty()) {
    phase_ = phase::drained;
    store_requests::tell_first(effects, report_store_drained{});
  }
}

pressure_level store_status::measure() const {
  if (stalls_.is_stalled())
    return pressure_level::stalled;
  if (!queue_.empty() && !relief_.recalling())
    return pressure_level::waiting;
  return relief_.relieving() ? pressure_level::relieving : pressure_level::calm;
}

bool store_status::is_empty() const {
  return objects_.all().empty() && objects_.lent_bytes() == 0 && !relief_.recalling();
}

} // namespace mobula

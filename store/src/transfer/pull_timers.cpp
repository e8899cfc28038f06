// What pulls wait for when only time can help, and the sweep over all that was asked.

#include "mobula/store/transfer/pull_timers.hpp"

#include <algorithm>
#include <utility>

namespace mobula {

namespace {

constexpr std::size_t max_doublings = 10;

} // namespace

void pull_timers::set(const object_id& id, pull_state& entry,
                      std::optional<pull_timer_purpose> purpose, pull_effects& effects) {
  if (purpose && entry.waits_for && entry.waits_for->purpose == *purpose)
    return;
  stop(id, entry, effects);
  if (!purpose)
    return;
  entry.waits_for = pull_state::timer{*purpose, ++numbered_};
  auto delay = times_.locate_ms;
  if (*purpose == pull_timer_purpose::retry)
    delay = times_.retry_ms << std::min(entry.retries++, max_doublings);
  effects.push_back(start_pull_timer{{*purpose, id, numbered_}, delay});
}

void pull_timers::stop(const object_id& id, pull_state& entry, pull_effects& effects) {
  if (auto over = std::exchange(entry.waits_for, std::nullopt))
    effects.push_back(stop_pull_timer{{over->purpose, id, over->generation}});
}

void pull_timers::start_sweep(pull_effects& effects) {
  if (std::exchange(sweeping_, true))
    return;
  sweep_generation_ = ++numbered_;
  effects.push_back(
    start_pull_timer{{pull_timer_purpose::sweep, {}, sweep_generation_}, times_.stall_ms});
}

void pull_timers::stop_sweep(pull_effects& effects) {
  if (std::exchange(sweeping_, false))
    effects.push_back(stop_pull_timer{{pull_timer_purpose::sweep, {}, sweep_generation_}});
}

bool pull_timers::end_sweep(std::uint64_t generation) {
  if (!sweeping_ || generation != sweep_generation_)
    return false;
  sweeping_ = false;
  return true;
}

} // namespace mobula

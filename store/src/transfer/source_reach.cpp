// Which nodes' data ports cannot be reached, and for how long they are left alone.

#include "mobula/store/transfer/source_reach.hpp"

#include <algorithm>

namespace mobula {

std::string_view to_string(connect_failure why) noexcept {
  switch (why) {
    case connect_failure::refused:
      return "the connection is refused";
    case connect_failure::no_route:
      return "there is no route to it";
    case connect_failure::silent:
      return "nothing answers there";
    case connect_failure::another_node:
      break;
  }
  return "another node answers there";
}

void source_reach::connected(const incarnation_id& id, reach_effects& effects) {
  auto position = nodes_.find(id);
  if (position == nodes_.end())
    return;
  if (position->second.told)
    effects.emplace_back(report_reachable{id});
  forget(id);
}

void source_reach::connect_failed(const incarnation_id& id, connect_failure why, time_point now,
                                  reach_effects& effects) {
  auto& known = nodes_[id];
  // Connections that began earlier say nothing new.
  if (now < known.rest_ends)
    return;
  known.why = why;
  if (++known.failures < config_.failures_needed)
    return;
  known.rest_ends = now + rest_of(known);
  ++known.rests;
  if (known.told)
    return;
  known.told = true;
  ++unreachable_;
  effects.emplace_back(report_unreachable{id, why});
}

void source_reach::forget(const incarnation_id& id) {
  auto gone = nodes_.extract(id);
  if (!gone.empty())
    unreachable_ -= gone.mapped().told ? 1 : 0;
}

std::optional<connect_failure> source_reach::obstacle(const incarnation_id& id,
                                                      time_point now) const {
  auto position = nodes_.find(id);
  return position == nodes_.end() || now >= position->second.rest_ends
           ? std::nullopt
           : std::optional{position->second.why};
}

std::chrono::milliseconds source_reach::rest_of(const node& known) const noexcept {
  auto rest = config_.another_node_ms;
  switch (known.why) {
    case connect_failure::refused:
      rest = config_.refused_ms;
      break;
    case connect_failure::no_route:
      rest = config_.no_route_ms;
      break;
    case connect_failure::silent:
      rest = config_.silent_ms;
      break;
    case connect_failure::another_node:
      break;
  }
  for (std::size_t count = 0; count < known.rests && rest < config_.longest_ms; ++count)
    rest *= 2;
  return std::chrono::milliseconds{std::min(rest, config_.longest_ms)};
}

} // namespace mobula

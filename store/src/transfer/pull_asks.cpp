// Which asks are under way over which connections, and which of these bring nothing any more.

#include "mobula/store/transfer/pull_asks.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

ask_number pull_asks::begin(const object_id& id, const incarnation_id& node, byte_range range) {
  auto number = ask_number{++last_number_};
  auto& known = peers_[node];
  known.lanes.resize(lanes_per_node_);
  auto least = std::ranges::min_element(known.lanes, {}, &lane_use::asks);
  auto lane = data_lane{static_cast<std::uint32_t>(least - known.lanes.begin())};
  if (least->asks == 0)
    least->progress = true;
  ++least->asks;
  ++known.asks;
  least->asked_bytes += range.size();
  // A node sends in turn what was asked over a connection. What it sends is as large as a chunk may
  // be, whatever was asked.
  auto turn_bytes = least->arrived_bytes + least->asked_bytes + frame_limits::chunk_bytes;
  asks_.emplace(number, ask{id, node, lane, range, range.begin, turn_bytes});
  asked_bytes_ += range.size();
  return number;
}

byte_range pull_asks::arrived(ask_number number, std::uint64_t bytes) {
  auto position = asks_.find(number);
  MOBULA_ASSERT(position != asks_.end());
  auto& under_way = position->second;
  MOBULA_ASSERT(bytes <= under_way.range.end - under_way.arrived_to);
  byte_range result{under_way.arrived_to, under_way.arrived_to + bytes};
  under_way.arrived_to += bytes;
  asked_bytes_ -= bytes;
  auto& lane = lane_of(under_way);
  lane.asked_bytes -= bytes;
  lane.arrived_bytes += bytes;
  lane.progress = true;
  return result;
}

void pull_asks::lane_progressed(const incarnation_id& node, data_lane lane) {
  auto known = peers_.find(node);
  auto index = static_cast<std::size_t>(lane);
  if (known != peers_.end() && index < known->second.lanes.size())
    known->second.lanes[index].progress = true;
}

pull_asks::ask pull_asks::take(ask_number number) {
  auto position = asks_.find(number);
  MOBULA_ASSERT(position != asks_.end());
  auto ended = position->second;
  asks_.erase(position);
  auto missing = ended.range.end - ended.arrived_to;
  asked_bytes_ -= missing;
  auto& lane = lane_of(ended);
  lane.asked_bytes -= missing;
  --lane.asks;
  auto known = peers_.find(ended.node);
  if (--known->second.asks == 0)
    peers_.erase(known);
  return ended;
}

bool pull_asks::cancel(ask_number number) {
  return !std::exchange(asks_.at(number).canceled, true);
}

std::vector<close_lane> pull_asks::take_silent_lanes() {
  std::vector<close_lane> result;
  for (auto& [node, known] : peers_)
    for (std::size_t index = 0; index < known.lanes.size(); ++index) {
      auto& lane = known.lanes[index];
      if (!std::exchange(lane.progress, false) && lane.asks > 0)
        result.push_back({node, data_lane{static_cast<std::uint32_t>(index)}});
    }
  // A replay must see the same order.
  std::ranges::sort(result, {}, [](const auto& lane) { return std::tuple{lane.node, lane.lane}; });
  return result;
}

bool pull_asks::is_hopeless(ask_number number, const std::vector<close_lane>& silent) const {
  const auto& under_way = asks_.at(number);
  auto is_over_it = [&](const close_lane& lane) {
    return lane.node == under_way.node && lane.lane == under_way.lane;
  };
  const auto& lane = peers_.at(under_way.node).lanes.at(static_cast<std::size_t>(under_way.lane));
  return lane.arrived_bytes > under_way.turn_bytes || std::ranges::any_of(silent, is_over_it);
}

// -- properties -----------------------------------------------------------------------------------

std::size_t pull_asks::count_to(const incarnation_id& node) const {
  auto position = peers_.find(node);
  return position == peers_.end() ? 0 : position->second.asks;
}

pull_asks::lane_use& pull_asks::lane_of(const ask& under_way) {
  return peers_.at(under_way.node).lanes.at(static_cast<std::size_t>(under_way.lane));
}

void pull_asks::check_invariants() const {
  std::size_t peer_asks = 0;
  std::uint64_t lane_bytes = 0;
  for (const auto& [node, known] : peers_) {
    peer_asks += known.asks;
    std::size_t lane_asks = 0;
    for (const auto& lane : known.lanes) {
      lane_asks += lane.asks;
      lane_bytes += lane.asked_bytes;
    }
    MOBULA_ASSERT(known.asks == lane_asks && known.asks > 0);
  }
  std::uint64_t asked_bytes = 0;
  for (const auto& [number, under_way] : asks_)
    asked_bytes += under_way.range.end - under_way.arrived_to;
  MOBULA_ASSERT(asks_.size() == peer_asks && asked_bytes == asked_bytes_
                && lane_bytes == asked_bytes_);
}

} // namespace mobula

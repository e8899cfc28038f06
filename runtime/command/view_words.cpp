// The words and numbers that all views of reports have in common: sizes, times, nodes, holders and
// states.

#include "view_words.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace mobula::command {

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit)
    value /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

std::string seconds_text(std::uint64_t seconds) {
  constexpr std::array<std::pair<std::uint64_t, const char*>, 3> units{
    {{86'400, "d"}, {3'600, "h"}, {60, "min"}}};
  for (auto [length, name] : units)
    if (seconds >= 2 * length)
      return fmt::format("{} {}", seconds / length, name);
  return fmt::format("{} s", seconds);
}

std::string name_of(const node_report& node) {
  return node.name.empty() ? to_string(node.incarnation) : node.name;
}

std::string name_of(const cluster_report& report, const incarnation_id& id) {
  auto found = std::ranges::find(report.nodes, id, &node_report::incarnation);
  return found == report.nodes.end() ? to_string(id) : name_of(*found);
}

std::string holders_text(const cluster_report& report, const reported_object& object) {
  std::string result;
  auto separator = [&] {
    return result.empty() ? "" : ", ";
  };
  for (const auto& borrower : object.borrowers)
    result += fmt::format("{}{} ({})", separator(), name_of(report, borrower.node), borrower.count);
  for (const auto& holder : object.lost_holders)
    result += fmt::format("{}lost {} ({}, let go in {})", separator(), name_of(report, holder.node),
                          holder.count, seconds_text((holder.left_ms + 999) / 1000));
  return result;
}

std::string state_text(const reported_object& object) {
  auto result = std::string{to_string(object.state)} + (object.pinned() ? ", pinned" : "");
  if (object.pinned() && object.references() == 0)
    result += ", no reference";
  return result;
}

std::string use_text(const reported_object& object) {
  switch (object.use) {
    case reported_use::never:
      return "never";
    case reported_use::read:
      return object.unused_s == 0 ? "lately"
                                  : fmt::format("> {} ago", seconds_text(object.unused_s));
    case reported_use::unknown:
      break;
  }
  return {};
}

const reported_site* site_of(const node_report& owner, const reported_object& object) {
  auto known = object.call_site > 0 && object.call_site <= owner.call_sites.size();
  return known ? &owner.call_sites[object.call_site - 1] : nullptr;
}

std::string site_text(const reported_site* site) {
  return site != nullptr ? fmt::format("{}:{}", site->file, site->line) : "";
}

std::string silent_text(const cluster_report& report) {
  std::string result;
  for (const auto& node : report.silent)
    result += fmt::format("no answer from {}: {}\n", to_string(node.where), node.reason);
  return result;
}

nlohmann::json silent_json(const cluster_report& report) {
  auto result = nlohmann::json::array();
  for (const auto& node : report.silent)
    result.push_back({{"address", to_string(node.where)}, {"reason", node.reason}});
  return result;
}

} // namespace mobula::command

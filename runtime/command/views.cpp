// What `mobula status` shows, as text and as JSON: each node's figures, and what keeps nodes from
// each other.

#include "views.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "mobula/serialization/counted.hpp"
#include "text_table.hpp"
#include "view_words.hpp"

namespace mobula::command {

namespace {

nlohmann::json addresses_json(const std::vector<endpoint>& addresses) {
  auto result = nlohmann::json::array();
  for (const auto& where : addresses)
    result.push_back(to_string(where));
  return result;
}

/// Says which members cannot connect to each other; nothing if all can.
std::string gaps_text(const cluster_report& report) {
  std::string result;
  for (const auto& node : report.nodes)
    for (const auto& gap : node.unreachable)
      result +=
        fmt::format("{} cannot connect to {}, though other members are connected to it: {}\n",
                    name_of(node), name_of(report, gap.node), gap.reason);
  return result;
}

nlohmann::json gaps_json(const node_report& node) {
  auto result = nlohmann::json::array();
  for (const auto& gap : node.unreachable)
    result.push_back({{"node", to_string(gap.node)},
                      {"addresses", addresses_json(gap.control)},
                      {"reason", gap.reason}});
  return result;
}

/// Says which nodes fetch others' values the slow way; nothing if none does.
std::string out_of_reach_text(const cluster_report& report) {
  std::string result;
  for (const auto& node : report.nodes)
    if (auto ports = figure(node, "unreachable_ports"); ports > 0)
      result += fmt::format("{} cannot reach the data ports of {}, whose values come slowly, "
                            "with messages; its log names them\n",
                            name_of(node), counted(ports, "node"));
  return result;
}

/// Says where memory is that no object takes: what was freed need not go back to the system.
std::string kept_by_library_text(const cluster_report& report) {
  constexpr std::uint64_t worth_a_line = std::uint64_t{64} << 20U;
  std::string result;
  for (const auto& node : report.nodes)
    if (auto kept = figure(node, "allocator_kept_bytes"); kept >= worth_a_line)
      result += fmt::format("the process of {} has {} in memory; its C library keeps {} that was "
                            "freed, which malloc_trim(0) would return\n",
                            name_of(node), bytes_text(figure(node, "process_resident_bytes")),
                            bytes_text(kept));
  return result;
}

} // namespace

// -- status --------------------------------------------------------------------------------------

std::string status_text(const cluster_report& report) {
  text_table table{{"NODE", "ADDRESS", "OBJECTS", "BYTES", "HEAP", "OF", "ARENA", "OF", "ON DISK",
                    "PULLED", "LENT OUT", "BORROWED", "WAITS"}};
  for (const auto& node : report.nodes)
    table.add(
      {name_of(node), node.control.empty() ? "" : to_string(node.control.front()),
       std::to_string(figure(node, "owned_objects")), bytes_text(figure(node, "owned_bytes")),
       bytes_text(figure(node, "heap_bytes")), bytes_text(figure(node, "heap_limit_bytes")),
       bytes_text(figure(node, "arena_used_bytes")),
       bytes_text(figure(node, "store_capacity_bytes")), bytes_text(figure(node, "spilled_bytes")),
       bytes_text(figure(node, "pulled_bytes")), std::to_string(figure(node, "exported_objects")),
       std::to_string(figure(node, "borrowed_objects")),
       std::to_string(figure(node, "waiting_gets") + figure(node, "waiting_puts")
                      + figure(node, "waiting_for_heap") + figure(node, "peer_waits"))});
  const auto& first = report.nodes.front();
  return fmt::format("cluster \"{}\", {}, Mobula {}\n{}{}{}{}{}", first.cluster,
                     counted(report.nodes.size(), "node"), first.library_version, table.text(),
                     silent_text(report), gaps_text(report), out_of_reach_text(report),
                     kept_by_library_text(report));
}

nlohmann::json status_json(const cluster_report& report) {
  auto nodes = nlohmann::json::array();
  for (const auto& node : report.nodes) {
    auto figures = nlohmann::json::object();
    for (const auto& each : node.figures)
      figures[each.name] = each.value;
    nodes.push_back({{"incarnation", to_string(node.incarnation)},
                     {"name", node.name},
                     {"cluster", node.cluster},
                     {"library_version", node.library_version},
                     {"process_id", node.process_id},
                     {"control", addresses_json(node.control)},
                     {"unreachable_members", gaps_json(node)},
                     {"figures", std::move(figures)}});
  }
  return {{"nodes", std::move(nodes)}, {"silent", silent_json(report)}};
}

} // namespace mobula::command

// What `mobula memory` shows: objects of all nodes, or sums of them. Nodes sum over all that they
// have; of objects they list no more than they are asked for, and no more than they are willing to.

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "mobula/serialization/counted.hpp"
#include "mobula/serialization/text_beginning.hpp"
#include "object_view.hpp"
#include "text_table.hpp"
#include "view_words.hpp"

namespace mobula::command {

namespace {

// -- objects --------------------------------------------------------------------------------------

bool any_sites(const cluster_report& report) {
  return std::ranges::any_of(report.nodes,
                             [](const node_report& node) { return !node.call_sites.empty(); });
}

bool any_names(const cluster_report& report) {
  return std::ranges::any_of(report.nodes, [](const node_report& node) {
    return std::ranges::any_of(node.objects,
                               [](const auto& object) { return !object.names.empty(); });
  });
}

std::uint64_t key_of(const reported_object& object, sorting order) {
  switch (order) {
    case sorting::references:
      return object.references();
    case sorting::age:
      return object.age_s;
    case sorting::size:
      break;
  }
  return object.size_bytes;
}

std::vector<found_object> sorted_objects(const cluster_report& report, sorting order) {
  std::vector<found_object> result;
  for (const auto& node : report.nodes)
    for (const auto* list : {&node.objects, &node.pinned_only})
      for (const auto& object : *list)
        result.push_back({&node, &object});
  std::ranges::stable_sort(result, std::greater{},
                           [order](const found_object& row) { return key_of(*row.object, order); });
  return result;
}

/// With what went wrong, as far as it fits into a table.
std::string state_cell(const reported_object& object) {
  constexpr std::size_t max_bytes = 60;
  auto result = state_text(object);
  if (!object.error.empty())
    result += ": " + object.error;
  auto shown = beginning_of(result, max_bytes);
  return shown.size() == result.size() ? result : std::string{shown} + "...";
}

std::vector<std::string> cells_of(const cluster_report& report, const found_object& row) {
  const auto& object = *row.object;
  return {to_string(id_of(row)),
          name_of(*row.owner),
          bytes_text(object.size_bytes),
          seconds_text(object.age_s),
          use_text(object),
          state_cell(object),
          std::to_string(object.local),
          std::to_string(object.nested.references),
          std::to_string(object.transits),
          holders_text(report, object),
          object.type};
}

std::string objects_text(const cluster_report& report, const memory_options& options) {
  std::vector<std::string> titles{"OBJECT",      "OWNER",       "SIZE",  "AGE",
                                  "LAST READ",   "STATE",       "LOCAL", "IN VALUES",
                                  "IN MESSAGES", "BORROWED BY", "TYPE"};
  const auto with_names = any_names(report);
  const auto with_sites = any_sites(report);
  if (with_names)
    titles.emplace_back("NAMES");
  if (with_sites)
    titles.emplace_back("CALL SITE");
  text_table table{std::move(titles)};
  auto rows = sorted_objects(report, options.sort);
  auto shown = std::min(rows.size(), options.max_rows);
  for (const auto& row : std::span{rows}.first(shown)) {
    auto cells = cells_of(report, row);
    if (with_names)
      cells.push_back(fmt::format("{}", fmt::join(row.object->names, ", ")));
    if (with_sites)
      cells.push_back(site_text(site_of(*row.owner, *row.object)));
    table.add(std::move(cells));
  }
  return table.text()
         + (shown < rows.size() ? fmt::format("{} more; see --limit\n", rows.size() - shown) : "");
}

std::uint64_t left_out(const cluster_report& report) {
  std::uint64_t result = 0;
  for (const auto& node : report.nodes)
    result += node.objects_left_out;
  return result;
}

std::string left_out_text(const cluster_report& report, sorting order) {
  auto count = left_out(report);
  if (count == 0)
    return {};
  constexpr const char* kinds[] = {"smaller", "less referenced", "younger"};
  const std::string kind = kinds[static_cast<std::size_t>(order)];
  return fmt::format("{} not listed; --group-by sums over all\n",
                     counted(count, kind + " object is", kind + " objects are"));
}

// -- sums -----------------------------------------------------------------------------------------

std::string group_name(const node_report& node, const reported_group& group, grouping by) {
  if (by == grouping::owner)
    return name_of(node);
  if (by == grouping::call_site && group.name.empty())
    return "(not recorded)";
  return group.line > 0 ? fmt::format("{}:{}", group.name, group.line) : group.name;
}

/// Adds up what the nodes say.
std::vector<reported_group> groups_of(const cluster_report& report, const memory_options& options) {
  std::map<std::string, reported_group> groups;
  for (const auto& node : report.nodes) {
    for (const auto& part : node.groups) {
      auto name = group_name(node, part, options.group);
      auto& group = groups[name];
      group.name = name;
      group.objects += part.objects;
      group.bytes += part.bytes;
      group.references += part.references;
    }
  }
  std::vector<reported_group> result;
  for (auto& [name, group] : groups)
    result.push_back(std::move(group));
  auto key = [&](const reported_group& group) {
    return options.sort == sorting::references ? group.references : group.bytes;
  };
  std::ranges::stable_sort(result, std::greater{}, key);
  return result;
}

std::string groups_text(const cluster_report& report, const memory_options& options) {
  text_table table{{"GROUP", "OBJECTS", "BYTES", "REFERENCES"}};
  auto groups = groups_of(report, options);
  for (const auto& group : groups)
    table.add({group.name, std::to_string(group.objects), bytes_text(group.bytes),
               std::to_string(group.references)});
  auto recorded = std::ranges::any_of(
    groups, [](const reported_group& group) { return group.name != "(not recorded)"; });
  return table.text()
         + (options.group == grouping::call_site && !recorded
              ? "no call sites are recorded; start nodes with --mobula.record-call-sites\n"
              : "");
}

reported_grouping grouping_of(grouping by) {
  switch (by) {
    case grouping::owner:
      return reported_grouping::node;
    case grouping::type:
      return reported_grouping::type;
    case grouping::state:
      return reported_grouping::state;
    case grouping::call_site:
      return reported_grouping::call_site;
    case grouping::none:
      break;
  }
  return reported_grouping::none;
}

reported_order order_of(sorting order) {
  switch (order) {
    case sorting::references:
      return reported_order::references;
    case sorting::age:
      return reported_order::age;
    case sorting::size:
      break;
  }
  return reported_order::size;
}

} // namespace

ask_report memory_question(const memory_options& options) {
  // Nodes have a bound of their own.
  constexpr auto all = std::numeric_limits<std::uint64_t>::max();
  return {.max_objects = options.group == grouping::none ? all : 0,
          .only = {},
          .order = order_of(options.sort),
          .grouping = grouping_of(options.group)};
}

std::string memory_text(const cluster_report& report, const memory_options& options) {
  return (options.group != grouping::none
            ? groups_text(report, options)
            : objects_text(report, options) + left_out_text(report, options.sort))
         + silent_text(report);
}

nlohmann::json memory_json(const cluster_report& report, const memory_options& options) {
  nlohmann::json result{{"objects_left_out", left_out(report)}, {"silent", silent_json(report)}};
  auto rows = nlohmann::json::array();
  if (options.group != grouping::none) {
    for (const auto& group : groups_of(report, options))
      rows.push_back({{"group", group.name},
                      {"objects", group.objects},
                      {"bytes", group.bytes},
                      {"references", group.references}});
    result["groups"] = std::move(rows);
    return result;
  }
  container_index containers{report};
  for (const auto& row : sorted_objects(report, options.sort))
    rows.push_back(object_json(row, containers));
  result["objects"] = std::move(rows);
  return result;
}

} // namespace mobula::command

#include "views.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <ranges>
#include <span>
#include <vector>

#include <fmt/format.h>

namespace mobula::command {

namespace {

// -- text ----------------------------------------------------------------------------------------

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit)
    value /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

/// Rows of cells in columns as wide as their widest cell; numbers to the right.
class text_table {
public:
  explicit text_table(std::vector<std::string> titles) {
    rows_.push_back(std::move(titles));
  }

  void add(std::vector<std::string> cells) {
    rows_.push_back(std::move(cells));
  }

  [[nodiscard]] std::string text() const {
    std::vector<std::size_t> widths(rows_.front().size(), 0);
    for (const auto& row : rows_)
      for (std::size_t column = 0; column < row.size(); ++column)
        widths[column] = std::max(widths[column], row[column].size());
    std::string result;
    for (const auto& row : rows_) {
      std::string line;
      for (std::size_t column = 0; column < row.size(); ++column)
        line += is_numeric(column) ? fmt::format("{:>{}}  ", row[column], widths[column])
                                   : fmt::format("{:<{}}  ", row[column], widths[column]);
      line.erase(line.find_last_not_of(' ') + 1);
      result += line + '\n';
    }
    return result;
  }

private:
  [[nodiscard]] bool is_numeric(std::size_t column) const {
    return rows_.size() > 1 && !rows_[1][column].empty()
           && std::ranges::all_of(rows_ | std::views::drop(1), [&](const auto& row) {
                return row[column].empty() || (row[column][0] >= '0' && row[column][0] <= '9');
              });
  }

  std::vector<std::vector<std::string>> rows_;
};

std::string name_of(const node_report& node) {
  return node.name.empty() ? to_string(node.incarnation) : node.name;
}

std::string name_of(const cluster_report& report, const incarnation_id& id) {
  auto found = std::ranges::find(report.nodes, id, &node_report::incarnation);
  return found == report.nodes.end() ? to_string(id) : name_of(*found);
}

std::string silent_text(const cluster_report& report) {
  std::string result;
  for (const auto& node : report.silent)
    result += fmt::format("no answer from {}: {}\n", to_string(node.where), node.reason);
  return result;
}

std::string borrowers_text(const cluster_report& report, const reported_object& object) {
  std::string result;
  for (const auto& borrower : object.borrowers)
    result += fmt::format("{}{} ({})", result.empty() ? "" : ", ", name_of(report, borrower.node),
                          borrower.count);
  return result;
}

std::string local_text(const reported_object& object) {
  return object.local_known ? std::to_string(object.local) : "1+";
}

// -- rows of memory ------------------------------------------------------------------------------

struct listed_object {
  const node_report* owner;
  const reported_object* object;
};

std::vector<listed_object> sorted_objects(const cluster_report& report, sorting order) {
  std::vector<listed_object> result;
  for (const auto& node : report.nodes)
    for (const auto& object : node.objects)
      result.push_back({&node, &object});
  auto key = [order](const listed_object& row) {
    return order == sorting::size ? row.object->size_bytes : row.object->references();
  };
  std::ranges::stable_sort(result, std::greater{}, key);
  return result;
}

struct object_group {
  std::string name;
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  std::uint64_t references = 0;
};

std::string group_name(const cluster_report& report, const listed_object& row, grouping group) {
  switch (group) {
    case grouping::owner:
      return name_of(report, row.owner->incarnation);
    case grouping::type:
      return row.object->type.empty() ? "(not known)" : row.object->type;
    case grouping::state:
      return std::string{to_string(row.object->state)};
    case grouping::none:
      break;
  }
  return {};
}

std::vector<object_group> groups_of(const cluster_report& report, const memory_options& options) {
  std::map<std::string, object_group> groups;
  for (const auto& row : sorted_objects(report, options.sort)) {
    auto name = group_name(report, row, options.group);
    auto& group = groups[name];
    group.name = name;
    ++group.objects;
    group.bytes += row.object->size_bytes;
    group.references += row.object->references();
  }
  std::vector<object_group> result;
  for (auto& [name, group] : groups)
    result.push_back(std::move(group));
  auto key = [&](const object_group& group) {
    return options.sort == sorting::size ? group.bytes : group.references;
  };
  std::ranges::stable_sort(result, std::greater{}, key);
  return result;
}

std::uint64_t left_out(const cluster_report& report) {
  std::uint64_t result = 0;
  for (const auto& node : report.nodes)
    result += node.objects_left_out;
  return result;
}

object_id id_of(const found_object& found) {
  return {.owner = found.owner->incarnation, .sequence = found.object->sequence};
}

} // namespace

// -- status --------------------------------------------------------------------------------------

std::string status_text(const cluster_report& report) {
  text_table table{{"NODE", "ADDRESS", "OBJECTS", "BYTES", "ARENA", "OF", "ON DISK", "LENT OUT",
                    "BORROWED", "WAITS"}};
  for (const auto& node : report.nodes)
    table.add(
      {name_of(node), node.control.empty() ? "" : to_string(node.control.front()),
       std::to_string(figure(node, "owned_objects")), bytes_text(figure(node, "owned_bytes")),
       bytes_text(figure(node, "arena_used_bytes")),
       bytes_text(figure(node, "store_capacity_bytes")), bytes_text(figure(node, "spilled_bytes")),
       std::to_string(figure(node, "exported_objects")),
       std::to_string(figure(node, "borrowed_objects")),
       std::to_string(figure(node, "waiting_gets") + figure(node, "waiting_puts")
                      + figure(node, "peer_waits"))});
  const auto& first = report.nodes.front();
  return fmt::format("cluster \"{}\", {} nodes, Mobula {}\n{}{}", first.cluster,
                     report.nodes.size(), first.library_version, table.text(), silent_text(report));
}

nlohmann::json status_json(const cluster_report& report) {
  auto nodes = nlohmann::json::array();
  for (const auto& node : report.nodes) {
    auto figures = nlohmann::json::object();
    for (const auto& each : node.figures)
      figures[each.name] = each.value;
    auto control = nlohmann::json::array();
    for (const auto& where : node.control)
      control.push_back(to_string(where));
    nodes.push_back({{"incarnation", to_string(node.incarnation)},
                     {"name", node.name},
                     {"cluster", node.cluster},
                     {"library_version", node.library_version},
                     {"process_id", node.process_id},
                     {"control", std::move(control)},
                     {"figures", std::move(figures)}});
  }
  auto silent = nlohmann::json::array();
  for (const auto& node : report.silent)
    silent.push_back({{"address", to_string(node.where)}, {"reason", node.reason}});
  return {{"nodes", std::move(nodes)}, {"silent", std::move(silent)}};
}

// -- memory --------------------------------------------------------------------------------------

std::string memory_text(const cluster_report& report, const memory_options& options) {
  std::string result;
  if (options.group != grouping::none) {
    text_table table{{"GROUP", "OBJECTS", "BYTES", "REFERENCES"}};
    for (const auto& group : groups_of(report, options))
      table.add({group.name, std::to_string(group.objects), bytes_text(group.bytes),
                 std::to_string(group.references)});
    result = table.text();
  } else {
    text_table table{
      {"OBJECT", "OWNER", "SIZE", "STATE", "LOCAL", "IN MESSAGES", "BORROWED BY", "TYPE"}};
    auto rows = sorted_objects(report, options.sort);
    auto shown = std::min(rows.size(), options.most_rows);
    for (const auto& [owner, object] : std::span{rows}.first(shown))
      table.add({to_string(object_id{.owner = owner->incarnation, .sequence = object->sequence}),
                 name_of(*owner), bytes_text(object->size_bytes),
                 std::string{to_string(object->state)} + (object->pinned ? ", pinned" : ""),
                 local_text(*object), std::to_string(object->transits),
                 borrowers_text(report, *object), object->type});
    result = table.text();
    if (shown < rows.size())
      result += fmt::format("{} more; see --limit\n", rows.size() - shown);
  }
  if (auto more = left_out(report); more > 0)
    result += fmt::format("{} smaller objects were not asked for\n", more);
  return result + silent_text(report);
}

nlohmann::json memory_json(const cluster_report& report, const memory_options& options) {
  auto rows = nlohmann::json::array();
  if (options.group != grouping::none) {
    for (const auto& group : groups_of(report, options))
      rows.push_back({{"group", group.name},
                      {"objects", group.objects},
                      {"bytes", group.bytes},
                      {"references", group.references}});
    return {{"groups", std::move(rows)}, {"objects_left_out", left_out(report)}};
  }
  for (const auto& row : sorted_objects(report, options.sort))
    rows.push_back(object_json({row.owner, row.object}));
  return {{"objects", std::move(rows)}, {"objects_left_out", left_out(report)}};
}

// -- objects -------------------------------------------------------------------------------------

found_object find_object(const cluster_report& report, const object_id& id) {
  for (const auto& node : report.nodes) {
    if (node.incarnation != id.owner)
      continue;
    auto found = std::ranges::find(node.objects, id.sequence, &reported_object::sequence);
    return {&node, found == node.objects.end() ? nullptr : &*found};
  }
  return {};
}

std::string object_text(const cluster_report& report, const found_object& found) {
  const auto& object = *found.object;
  auto borrowers = borrowers_text(report, object);
  return fmt::format("object       {}\nowner        {}\nsize         {} ({} bytes)\n"
                     "state        {}{}\ntype         {}\nlocal        {}\nin messages  {}\n"
                     "borrowed by  {}\n",
                     to_string(id_of(found)), name_of(*found.owner), bytes_text(object.size_bytes),
                     object.size_bytes, to_string(object.state), object.pinned ? ", pinned" : "",
                     object.type.empty() ? "not known" : object.type, local_text(object),
                     object.transits, borrowers.empty() ? "nobody" : borrowers);
}

nlohmann::json object_json(const found_object& found) {
  const auto& object = *found.object;
  auto borrowers = nlohmann::json::array();
  for (const auto& borrower : object.borrowers)
    borrowers.push_back({{"node", to_string(borrower.node)}, {"count", borrower.count}});
  nlohmann::json result{{"id", to_string(id_of(found))},
                        {"owner", to_string(found.owner->incarnation)},
                        {"size_bytes", object.size_bytes},
                        {"state", to_string(object.state)},
                        {"type", object.type},
                        {"pinned", object.pinned},
                        {"local", nullptr},
                        {"transits", object.transits},
                        {"borrowers", std::move(borrowers)}};
  if (object.local_known)
    result["local"] = object.local;
  return result;
}

} // namespace mobula::command

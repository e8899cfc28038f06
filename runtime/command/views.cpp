#include "views.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "text_table.hpp"

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

std::string name_of(const node_report& node) {
  return node.name.empty() ? to_string(node.incarnation) : node.name;
}

std::string name_of(const cluster_report& report, const incarnation_id& id) {
  auto found = std::ranges::find(report.nodes, id, &node_report::incarnation);
  return found == report.nodes.end() ? to_string(id) : name_of(*found);
}

std::string borrowers_text(const cluster_report& report, const reported_object& object) {
  std::string result;
  for (const auto& borrower : object.borrowers)
    result += fmt::format("{}{} ({})", result.empty() ? "" : ", ", name_of(report, borrower.node),
                          borrower.count);
  return result;
}

/// Objects of any node whose values refer to an object, as far as they are named.
class container_index {
public:
  explicit container_index(const cluster_report& report) {
    for (const auto& node : report.nodes) {
      for (const auto& object : node.objects)
        add({.owner = node.incarnation, .sequence = object.sequence}, object.nested);
      for (const auto& foreign : node.nested_elsewhere)
        add(foreign.object, foreign.nested);
    }
  }

  /// Returns each once: several nodes may have the value of one container.
  [[nodiscard]] std::set<object_id> of(const object_id& id) const {
    auto found = containers_.find(id);
    return found == containers_.end() ? std::set<object_id>{} : found->second;
  }

private:
  void add(const object_id& id, const reported_nesting& nested) {
    if (!nested.named.empty())
      containers_[id].insert(nested.named.begin(), nested.named.end());
  }

  std::map<object_id, std::set<object_id>> containers_;
};

std::string containers_text(const cluster_report& report, const object_id& id,
                            const reported_object& object) {
  std::string result;
  for (const auto& container : container_index{report}.of(id))
    result += (result.empty() ? "" : "\n             ") + to_string(container);
  if (object.nested.containers > object.nested.named.size())
    result += fmt::format("\n             and {} more",
                          object.nested.containers - object.nested.named.size());
  return result.empty() ? "nothing" : result;
}

std::string pins_text(const reported_object& object) {
  return object.pinned() ? fmt::format("views in its process: {}, other processes: {}",
                                       object.views, object.readers)
                         : "nobody";
}

const reported_site* site_of(const node_report& owner, const reported_object& object) {
  auto known = object.call_site > 0 && object.call_site <= owner.call_sites.size();
  return known ? &owner.call_sites[object.call_site - 1] : nullptr;
}

std::string site_text(const reported_site* site) {
  return site != nullptr ? fmt::format("{}:{}", site->file, site->line) : "";
}

bool any_sites(const cluster_report& report) {
  return std::ranges::any_of(report.nodes,
                             [](const node_report& node) { return !node.call_sites.empty(); });
}

std::string state_text(const reported_object& object) {
  return std::string{to_string(object.state)} + (object.pinned() ? ", pinned" : "");
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
      return row.object->type;
    case grouping::state:
      return std::string{to_string(row.object->state)};
    case grouping::call_site: {
      const auto* site = site_of(*row.owner, *row.object);
      return site != nullptr ? site_text(site) : "(not recorded)";
    }
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

nlohmann::json silent_json(const cluster_report& report) {
  auto result = nlohmann::json::array();
  for (const auto& node : report.silent)
    result.push_back({{"address", to_string(node.where)}, {"reason", node.reason}});
  return result;
}

std::string groups_text(const cluster_report& report, const memory_options& options) {
  text_table table{{"GROUP", "OBJECTS", "BYTES", "REFERENCES"}};
  for (const auto& group : groups_of(report, options))
    table.add({group.name, std::to_string(group.objects), bytes_text(group.bytes),
               std::to_string(group.references)});
  auto result = table.text();
  if (options.group == grouping::call_site && !any_sites(report))
    result += "no call sites are recorded; start nodes with --mobula.record-call-sites\n";
  return result;
}

std::string objects_text(const cluster_report& report, const memory_options& options) {
  std::vector<std::string> titles{"OBJECT",    "OWNER",       "SIZE",        "STATE", "LOCAL",
                                  "IN VALUES", "IN MESSAGES", "BORROWED BY", "TYPE"};
  const auto with_sites = any_sites(report);
  if (with_sites)
    titles.emplace_back("CALL SITE");
  text_table table{std::move(titles)};
  auto rows = sorted_objects(report, options.sort);
  auto shown = std::min(rows.size(), options.most_rows);
  for (const auto& [owner, object] : std::span{rows}.first(shown)) {
    std::vector<std::string> cells{to_string(id_of({owner, object})),
                                   name_of(*owner),
                                   bytes_text(object->size_bytes),
                                   state_text(*object),
                                   std::to_string(object->local),
                                   std::to_string(object->nested.references),
                                   std::to_string(object->transits),
                                   borrowers_text(report, *object),
                                   object->type};
    if (with_sites)
      cells.push_back(site_text(site_of(*owner, *object)));
    table.add(std::move(cells));
  }
  return table.text()
         + (shown < rows.size() ? fmt::format("{} more; see --limit\n", rows.size() - shown) : "");
}

nlohmann::json site_json(const reported_site* site) {
  if (site == nullptr)
    return nullptr;
  return {{"file", site->file}, {"line", site->line}, {"function", site->function}};
}

nlohmann::json object_json(const found_object& found, const container_index& containers) {
  const auto& object = *found.object;
  auto borrowers = nlohmann::json::array();
  for (const auto& borrower : object.borrowers)
    borrowers.push_back({{"node", to_string(borrower.node)}, {"count", borrower.count}});
  auto nested_in = nlohmann::json::array();
  for (const auto& container : containers.of(id_of(found)))
    nested_in.push_back(to_string(container));
  return {{"id", to_string(id_of(found))},
          {"owner", to_string(found.owner->incarnation)},
          {"size_bytes", object.size_bytes},
          {"state", to_string(object.state)},
          {"type", object.type},
          {"pinned", object.pinned()},
          {"views", object.views},
          {"readers", object.readers},
          {"local", object.local},
          {"nested", object.nested.references},
          {"nested_in", std::move(nested_in)},
          {"transits", object.transits},
          {"borrowers", std::move(borrowers)},
          {"call_site", site_json(site_of(*found.owner, object))}};
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
  for (const auto& gap : node.unreachable) {
    auto addresses = nlohmann::json::array();
    for (const auto& where : gap.control)
      addresses.push_back(to_string(where));
    result.push_back(
      {{"node", to_string(gap.node)}, {"addresses", std::move(addresses)}, {"reason", gap.reason}});
  }
  return result;
}

/// Says which nodes fetch others' values the slow way; nothing if none does.
std::string out_of_reach_text(const cluster_report& report) {
  std::string result;
  for (const auto& node : report.nodes)
    if (auto ports = figure(node, "unreachable_ports"); ports > 0)
      result += fmt::format("{} cannot reach the data ports of {} nodes, whose values come slowly, "
                            "with messages; its log names them\n",
                            name_of(node), ports);
  return result;
}

} // namespace

std::string silent_text(const cluster_report& report) {
  std::string result;
  for (const auto& node : report.silent)
    result += fmt::format("no answer from {}: {}\n", to_string(node.where), node.reason);
  return result;
}

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
  return fmt::format("cluster \"{}\", {} nodes, Mobula {}\n{}{}{}{}", first.cluster,
                     report.nodes.size(), first.library_version, table.text(), silent_text(report),
                     gaps_text(report), out_of_reach_text(report));
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
                     {"unreachable_members", gaps_json(node)},
                     {"figures", std::move(figures)}});
  }
  return {{"nodes", std::move(nodes)}, {"silent", silent_json(report)}};
}

// -- memory --------------------------------------------------------------------------------------

std::string memory_text(const cluster_report& report, const memory_options& options) {
  auto result =
    options.group != grouping::none ? groups_text(report, options) : objects_text(report, options);
  if (auto more = left_out(report); more > 0)
    result += fmt::format("{} smaller objects are not listed\n", more);
  return result + silent_text(report);
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
    rows.push_back(object_json({row.owner, row.object}, containers));
  result["objects"] = std::move(rows);
  return result;
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
  const auto* site = site_of(*found.owner, object);
  return fmt::format("object       {}\nowner        {}\nsize         {} ({} bytes)\n"
                     "state        {}\ntype         {}\npinned by    {}\nlocal        {}\n"
                     "nested in    {}\nin messages  {}\nborrowed by  {}\nmade at      {}\n",
                     to_string(id_of(found)), name_of(*found.owner), bytes_text(object.size_bytes),
                     object.size_bytes, to_string(object.state), object.type, pins_text(object),
                     object.local, containers_text(report, id_of(found), object), object.transits,
                     borrowers.empty() ? "nobody" : borrowers,
                     site != nullptr ? fmt::format("{}, in {}", site_text(site), site->function)
                                     : "not recorded; its node needs --mobula.record-call-sites")
         + silent_text(report);
}

nlohmann::json object_json(const cluster_report& report, const found_object& found) {
  auto result = object_json(found, container_index{report});
  result["silent"] = silent_json(report);
  return result;
}

} // namespace mobula::command

// What `mobula objects` shows of one object, as text and as JSON, with the values on all nodes that
// refer to it.

#include "object_view.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "mobula/serialization/counted.hpp"
#include "view_words.hpp"

namespace mobula::command {

// -- containers -----------------------------------------------------------------------------------

container_index::container_index(const cluster_report& report) {
  for (const auto& node : report.nodes) {
    for (const auto& object : node.objects)
      add({.owner = node.incarnation, .sequence = object.sequence}, object.nested);
    for (const auto& elsewhere : node.nested_elsewhere)
      add(elsewhere.object, elsewhere.nested);
  }
}

std::set<object_id> container_index::of(const object_id& id) const {
  auto found = containers_.find(id);
  return found == containers_.end() ? std::set<object_id>{} : found->second;
}

void container_index::add(const object_id& id, const reported_nesting& nested) {
  if (!nested.named.empty())
    containers_[id].insert(nested.named.begin(), nested.named.end());
}

// -- finding --------------------------------------------------------------------------------------

object_id id_of(const found_object& found) {
  return {.owner = found.owner->incarnation, .sequence = found.object->sequence};
}

found_object find_object(const cluster_report& report, const object_id& id) {
  for (const auto& node : report.nodes) {
    if (node.incarnation != id.owner)
      continue;
    for (const auto* list : {&node.objects, &node.pinned_only})
      if (auto found = std::ranges::find(*list, id.sequence, &reported_object::sequence);
          found != list->end())
        return {&node, &*found};
    return {&node, nullptr};
  }
  return {};
}

// -- text -----------------------------------------------------------------------------------------

namespace {

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
  if (!object.pinned())
    return "nobody";
  auto result =
    fmt::format("views in its process: {}, other processes: {}", object.views, object.readers);
  if (!object.reader_processes.empty())
    result += fmt::format(" ({})", fmt::join(object.reader_processes, ", "));
  return result;
}

std::string made_text(const node_report& owner, const reported_object& object) {
  const auto* site = site_of(owner, object);
  return site != nullptr ? fmt::format("{}, in {}", site_text(site), site->function)
                         : "not recorded; its node needs --mobula.record-call-sites";
}

/// Nobody knows how old an object is that its owner has forgotten.
std::string age_text(const reported_object& object) {
  return object.references() == 0 && object.pinned() ? "not known any more"
                                                     : seconds_text(object.age_s);
}

} // namespace

std::string object_text(const cluster_report& report, const found_object& found) {
  const auto& object = *found.object;
  auto holders = holders_text(report, object);
  auto result = fmt::format(
    "object       {}\nowner        {}\nsize         {} ({})\nage          {}\n"
    "last read    {}\n"
    "state        {}\ntype         {}\npinned by    {}\nlocal        {}\n"
    "nested in    {}\nin messages  {}\nborrowed by  {}\nmade at      {}\n",
    to_string(id_of(found)), name_of(*found.owner), bytes_text(object.size_bytes),
    counted(object.size_bytes, "byte"), age_text(object),
    use_text(object).empty() ? "not known" : use_text(object), state_text(object), object.type,
    pins_text(object), object.local, containers_text(report, id_of(found), object), object.transits,
    holders.empty() ? "nobody" : holders, made_text(*found.owner, object));
  if (!object.names.empty())
    result += fmt::format("published as {}\n", fmt::join(object.names, ", "));
  if (!object.error.empty())
    result += fmt::format("error        {}\n", object.error);
  return result + silent_text(report);
}

// -- JSON -----------------------------------------------------------------------------------------

namespace {

nlohmann::json site_json(const reported_site* site) {
  if (site == nullptr)
    return nullptr;
  return {{"file", site->file}, {"line", site->line}, {"function", site->function}};
}

nlohmann::json borrowers_json(const reported_object& object) {
  auto result = nlohmann::json::array();
  for (const auto& borrower : object.borrowers)
    result.push_back({{"node", to_string(borrower.node)}, {"count", borrower.count}});
  return result;
}

nlohmann::json lost_holders_json(const reported_object& object) {
  auto result = nlohmann::json::array();
  for (const auto& holder : object.lost_holders)
    result.push_back(
      {{"node", to_string(holder.node)}, {"count", holder.count}, {"left_ms", holder.left_ms}});
  return result;
}

} // namespace

nlohmann::json object_json(const found_object& found, const container_index& containers) {
  const auto& object = *found.object;
  auto nested_in = nlohmann::json::array();
  for (const auto& container : containers.of(id_of(found)))
    nested_in.push_back(to_string(container));
  return {{"id", to_string(id_of(found))},
          {"owner", to_string(found.owner->incarnation)},
          {"size_bytes", object.size_bytes},
          {"age_s", object.age_s},
          {"use", to_string(object.use)},
          {"unused_s", object.unused_s},
          {"state", to_string(object.state)},
          {"type", object.type},
          {"pinned", object.pinned()},
          {"views", object.views},
          {"readers", object.readers},
          {"reader_processes", object.reader_processes},
          {"references", object.references()},
          {"local", object.local},
          {"nested", object.nested.references},
          {"nested_in", std::move(nested_in)},
          {"transits", object.transits},
          {"borrowers", borrowers_json(object)},
          {"lost_holders", lost_holders_json(object)},
          {"names", object.names},
          {"error", object.error},
          {"call_site", site_json(site_of(*found.owner, object))}};
}

nlohmann::json object_json(const cluster_report& report, const found_object& found) {
  auto result = object_json(found, container_index{report});
  result["silent"] = silent_json(report);
  return result;
}

} // namespace mobula::command

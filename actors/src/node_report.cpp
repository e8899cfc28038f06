#include "mobula/actors/node_report.hpp"

#include <algorithm>
#include <variant>

#include "node_figures.hpp"

namespace mobula {

namespace {

reported_state state_of(const object_entry& entry) noexcept {
  switch (entry.phase()) {
    case object_phase::pending:
      return reported_state::pending;
    case object_phase::inline_value:
      return reported_state::inline_value;
    case object_phase::stored:
      return entry.in_shard() ? reported_state::memory : reported_state::inline_value;
    case object_phase::failed:
      return reported_state::failed;
    case object_phase::freed:
      break;
  }
  return reported_state::freed;
}

} // namespace

std::string_view to_string(reported_state state) noexcept {
  switch (state) {
    case reported_state::pending:
      return "pending";
    case reported_state::inline_value:
      return "inline";
    case reported_state::memory:
      return "memory";
    case reported_state::disk:
      return "disk";
    case reported_state::failed:
      return "failed";
    case reported_state::freed:
      return "freed";
  }
  return "unknown";
}

std::uint64_t reported_object::references() const noexcept {
  std::uint64_t result = std::uint64_t{transits} + local + nested.references;
  for (const auto& borrower : borrowers)
    result += borrower.count;
  return result;
}

// -- figures ------------------------------------------------------------------------------------

std::vector<named_figure> figures_of(const node_stats& stats) {
  std::vector<named_figure> result;
  for (const auto& figure : node_figures()) {
    std::string name{figure.name};
    if (const auto* where = std::get_if<std::uint64_t node_stats::*>(&figure.where)) {
      result.push_back({name, stats.**where});
      continue;
    }
    const auto& count = stats.*std::get<object_count node_stats::*>(figure.where);
    result.push_back({name + "_objects", count.objects});
    result.push_back({name + "_bytes", count.bytes});
  }
  return result;
}

std::uint64_t figure(const node_report& report, std::string_view name) noexcept {
  auto found = std::ranges::find(report.figures, name, &named_figure::name);
  return found == report.figures.end() ? 0 : found->value;
}

// -- objects ------------------------------------------------------------------------------------

void object_listing::consider(const new_reference& known) {
  chosen_.push_back(known);
  // Kept short as it grows: a million objects are not copied for a report of a hundred.
  if (chosen_.size() / 2 >= std::max(asked_.most_objects, std::uint64_t{1}))
    keep_largest();
}

void object_listing::keep_largest() {
  if (chosen_.size() <= asked_.most_objects)
    return;
  left_out += chosen_.size() - asked_.most_objects;
  auto end = chosen_.begin() + static_cast<std::ptrdiff_t>(asked_.most_objects);
  std::ranges::nth_element(chosen_, end, std::greater{}, &new_reference::size_bytes);
  chosen_.erase(end, chosen_.end());
}

void object_listing::choose() {
  keep_largest();
  std::ranges::sort(chosen_, {}, &new_reference::sequence);
  objects.reserve(chosen_.size());
}

void object_listing::add(const object_entry& entry) {
  const auto* site = entry.made_at();
  objects.push_back({.sequence = entry.sequence(),
                     .size_bytes = entry.size_bytes(),
                     .state = state_of(entry),
                     .type = std::string{entry.type().name},
                     .views = entry.views(),
                     .borrowers = {},
                     .local = entry.handles(),
                     .nested = {},
                     .call_site = site != nullptr ? number_of(*site) : 0});
}

std::uint32_t object_listing::number_of(const call_site& site) {
  auto next = static_cast<std::uint32_t>(call_sites.size() + 1);
  auto [known, added] = site_numbers_.emplace(site_key{site.file, site.line}, next);
  if (added)
    call_sites.push_back({site.file, site.function != nullptr ? site.function : "", site.line});
  return known->second;
}

void object_listing::add_contents(const object_entry& container) {
  auto contents = container.contents();
  std::vector<object_id> referred;
  referred.reserve(contents.size());
  for (const auto* entry : contents)
    referred.push_back(entry->id());
  std::ranges::sort(referred);
  object_id last;
  for (const auto& id : referred) {
    auto* nesting = nesting_of(id);
    if (nesting == nullptr)
      continue;
    ++nesting->references;
    if (std::exchange(last, id) == id)
      continue;
    ++nesting->containers;
    if (nesting->named.size() < reported_nesting::most_named)
      nesting->named.push_back(container.id());
  }
}

reported_nesting* object_listing::nesting_of(const object_id& content) {
  if (content.owner == node_) {
    auto* listed = find(content.sequence);
    if (listed == nullptr)
      return nullptr;
    listed->local -= std::min<std::uint32_t>(listed->local, 1);
    return &listed->nested;
  }
  auto wanted = asked_.only.empty() || asked_.only == content;
  if (!wanted || (foreign_.size() >= asked_.most_objects && !foreign_.contains(content)))
    return nullptr;
  return &foreign_[content];
}

std::vector<reported_foreign> object_listing::take_foreign() {
  std::vector<reported_foreign> result;
  result.reserve(foreign_.size());
  for (auto& [object, nested] : foreign_)
    result.push_back({object, std::move(nested)});
  return result;
}

reported_object* object_listing::find(std::uint64_t sequence) noexcept {
  auto found = std::ranges::lower_bound(objects, sequence, {}, &reported_object::sequence);
  return found != objects.end() && found->sequence == sequence ? &*found : nullptr;
}

void add_report_messages(caf::actor_system_config& config) {
  config.add_message_type<ask_report>("mobula::ask_report");
  config.add_message_type<node_report>("mobula::node_report");
}

} // namespace mobula

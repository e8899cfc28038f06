// Gathers what a node tells people of its objects: a list of bounded length, the first by size,
// references or age, and sums over all of them.

#include "mobula/actors/reports/node_report.hpp"

#include <algorithm>
#include <variant>

#include <fmt/format.h>

#include "mobula/actors/caf/message_registry.hpp"
#include "mobula/serialization/text_beginning.hpp"
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
      return in_shard(entry) ? reported_state::memory : reported_state::inline_value;
    case object_phase::failed:
      return reported_state::failed;
    case object_phase::freed:
      break;
  }
  return reported_state::freed;
}

/// A report is no place for long texts: the first line, or the beginning of it.
std::string first_line_of(const error_info& error) {
  constexpr std::size_t max_bytes = 300;
  auto text = fmt::format("{}: {}", to_string(error.type), error.message);
  auto line = beginning_of(std::string_view{text}.substr(0, text.find('\n')), max_bytes);
  return line.size() == text.size() ? text : std::string{line} + " ...";
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

std::string_view to_string(reported_use use) noexcept {
  switch (use) {
    case reported_use::unknown:
      return "unknown";
    case reported_use::never:
      return "never";
    case reported_use::read:
      return "read";
  }
  return "unknown";
}

std::uint64_t reported_object::references() const noexcept {
  std::uint64_t result = std::uint64_t{transits} + local + nested.references;
  for (const auto& borrower : borrowers)
    result += borrower.count;
  for (const auto& holder : lost_holders)
    result += holder.count;
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

// -- all objects ----------------------------------------------------------------------------------

void object_listing::held_elsewhere(std::uint64_t sequence, std::uint64_t references,
                                    std::uint32_t kept) {
  auto& known = elsewhere_[sequence];
  known.references += references;
  known.kept += kept;
}

std::uint64_t object_listing::references_to(const object_entry& entry) const {
  std::uint64_t handles = entry.handles();
  auto known = elsewhere_.find(entry.sequence());
  if (known == elsewhere_.end())
    return handles;
  return handles - std::min<std::uint64_t>(handles, known->second.kept) + known->second.references;
}

void object_listing::consider(const object_record& known, std::uint64_t key) {
  candidates_.push_back({known, key});
  // Kept short as it grows: a million objects are not copied for a report of a hundred.
  if (candidates_.size() / 2 >= std::max(asked_.max_objects, std::uint64_t{1}))
    keep_first();
}

void object_listing::keep_first() {
  if (candidates_.size() <= asked_.max_objects)
    return;
  left_out += candidates_.size() - asked_.max_objects;
  auto end = candidates_.begin() + static_cast<std::ptrdiff_t>(asked_.max_objects);
  std::ranges::nth_element(candidates_, end, std::greater{}, &candidate::key);
  candidates_.erase(end, candidates_.end());
}

void object_listing::choose() {
  keep_first();
  chosen_.reserve(candidates_.size());
  for (const auto& each : candidates_)
    chosen_.push_back(each.known);
  candidates_ = {};
  std::ranges::sort(chosen_, {}, &object_record::sequence);
  objects.reserve(chosen_.size());
}

// -- sums -----------------------------------------------------------------------------------------

object_listing::site_key object_listing::group_key(const object_entry& entry) const {
  switch (asked_.grouping) {
    case reported_grouping::type:
      return {entry.type().name, 0};
    case reported_grouping::state:
      return {to_string(state_of(entry)), 0};
    case reported_grouping::call_site:
      if (const auto* site = entry.made_at(); site != nullptr && site->file != nullptr)
        return {site->file, site->line};
      break;
    case reported_grouping::none:
    case reported_grouping::node:
      break;
  }
  return {};
}

reported_group& object_listing::group_of(const site_key& key) {
  auto known = groups_.find(key);
  if (known == groups_.end() && groups_.size() + 1 >= max_groups)
    return groups_[{"(all others)", 0}];
  return known != groups_.end() ? known->second : groups_[key];
}

void object_listing::sum(const object_entry& entry) {
  auto& group = group_of(group_key(entry));
  ++group.objects;
  group.bytes += entry.size_bytes();
  group.references += references_to(entry);
}

/// Objects come and go between the two looks, so that what is taken away may not be there.
void object_listing::sum_is_on_disk(const object_entry& entry) {
  if (asked_.grouping != reported_grouping::state)
    return;
  auto& memory = group_of({to_string(reported_state::memory), 0});
  auto& disk = group_of({to_string(reported_state::disk), 0});
  auto move = [&](std::uint64_t reported_group::*figure, std::uint64_t count) {
    auto moved = std::min(memory.*figure, count);
    memory.*figure -= moved;
    disk.*figure += moved;
  };
  move(&reported_group::objects, 1);
  move(&reported_group::bytes, entry.size_bytes());
  move(&reported_group::references, references_to(entry));
}

std::vector<reported_group> object_listing::take_groups() {
  std::vector<reported_group> result;
  for (auto& [key, group] : groups_) {
    if (group.objects == 0)
      continue;
    group.name = key.first;
    group.line = key.second;
    result.push_back(std::move(group));
  }
  return result;
}

// -- those that are listed ------------------------------------------------------------------------

reported_object object_listing::describe(const object_entry& entry) {
  const auto* site = entry.made_at();
  reported_object result{.sequence = entry.sequence(),
                         .size_bytes = entry.size_bytes(),
                         .state = state_of(entry),
                         .type = std::string{entry.type().name},
                         .views = entry.views(),
                         .reader_processes = {},
                         .borrowers = {},
                         .lost_holders = {},
                         .local = entry.handles(),
                         .nested = {},
                         .call_site = site != nullptr ? number_of(*site) : 0,
                         .names = {},
                         .error = {}};
  if (result.state == reported_state::failed)
    result.error = first_line_of(entry.failure());
  return result;
}

void object_listing::add(const object_entry& entry, std::uint32_t age_s) {
  objects.push_back(describe(entry));
  objects.back().age_s = age_s;
}

/// It was read before the first of the periods that began with a later number.
void object_listing::add_use(reported_object& listed, use_stamp last) const {
  if (last == use_stamp{}) {
    listed.use = reported_use::never;
    return;
  }
  listed.use = reported_use::read;
  auto later = std::ranges::upper_bound(periods, last, {}, &use_period::first);
  listed.unused_s = later == periods.end() ? 0 : later->age_s;
}

void object_listing::add_pinned_only(const object_entry& entry, std::uint64_t size_bytes, pins by) {
  if (asked_.grouping == reported_grouping::state) {
    auto& group = group_of({"memory, no reference", 0});
    ++group.objects;
    group.bytes += size_bytes;
  }
  auto wanted =
    asked_.only.empty() || (asked_.only.owner == node_ && asked_.only.sequence == entry.sequence());
  if (!wanted || pinned_only.size() >= asked_.max_objects)
    return;
  auto& row = pinned_only.emplace_back(describe(entry));
  row.size_bytes = size_bytes;
  row.views = by.views;
  row.readers = static_cast<std::uint32_t>(by.processes.size());
  row.reader_processes = std::move(by.processes);
  row.local = 0;
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
    if (nesting->named.size() < reported_nesting::max_named)
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
  if (!wanted
      || (nested_elsewhere_.size() >= asked_.max_objects && !nested_elsewhere_.contains(content)))
    return nullptr;
  return &nested_elsewhere_[content];
}

std::vector<reported_nested_elsewhere> object_listing::take_nested_elsewhere() {
  std::vector<reported_nested_elsewhere> result;
  result.reserve(nested_elsewhere_.size());
  for (auto& [object, nested] : nested_elsewhere_)
    result.push_back({object, std::move(nested)});
  return result;
}

reported_object* object_listing::find(std::uint64_t sequence) noexcept {
  auto found = std::ranges::lower_bound(objects, sequence, {}, &reported_object::sequence);
  return found != objects.end() && found->sequence == sequence ? &*found : nullptr;
}

void add_report_messages(caf::actor_system_config& config) {
  add_messages<ask_report, node_report>(config);
}

} // namespace mobula

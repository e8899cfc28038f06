#include "mobula/actors/node_report.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace mobula {

namespace {

reported_state state_of(object_place place) noexcept {
  switch (place) {
    case object_place::pending:
      return reported_state::pending;
    case object_place::inline_value:
      return reported_state::inline_value;
    case object_place::stored:
      return reported_state::memory;
    case object_place::failed:
      break;
  }
  return reported_state::failed;
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
  }
  return "unknown";
}

std::uint64_t reported_object::references() const noexcept {
  std::uint64_t result = transits + (local_known ? local : 1);
  for (const auto& borrower : borrowers)
    result += borrower.count;
  return result;
}

// -- figures ------------------------------------------------------------------------------------

std::vector<named_figure> figures_of(const node_stats& stats) {
  std::vector<named_figure> result;
  auto add = [&](std::string name, std::uint64_t value) {
    result.push_back({std::move(name), value});
  };
  auto add_count = [&](const std::string& name, const object_count& count) {
    add(name + "_objects", count.objects);
    add(name + "_bytes", count.bytes);
  };
  add_count("owned", stats.owned);
  add("pending_objects", stats.pending_objects);
  add_count("inline", stats.inline_values);
  add("failed_objects", stats.failed_objects);
  add_count("stored", stats.stored);
  add_count("resident", stats.resident);
  add_count("pinned", stats.pinned);
  add_count("spilled", stats.spilled);
  add("store_capacity_bytes", stats.store_capacity_bytes);
  add("arena_bytes", stats.arena_bytes);
  add("arena_committed_bytes", stats.arena_committed_bytes);
  add("arena_used_bytes", stats.arena_used_bytes);
  add("spill_files", stats.spill_files);
  add("spill_file_bytes", stats.spill_file_bytes);
  add("references", stats.references);
  add("entries", stats.entries);
  add("waiting_gets", stats.waiting_gets);
  add("waiting_puts", stats.waiting_puts);
  add("open_transits", stats.open_transits);
  add("exported_objects", stats.exported_objects);
  add("known_copies", stats.known_copies);
  add("borrowed_objects", stats.borrowed_objects);
  add("peer_waits", stats.peer_waits);
  add("peer_timers", stats.peer_timers);
  add("pulls", stats.pulls);
  add("pushes", stats.pushes);
  add_count("pulled", stats.pulled);
  add("pushed_bytes", stats.pushed_bytes);
  add("peer_messages", stats.peer_messages);
  add("messages", stats.messages);
  add_count("written", stats.written);
  add_count("restored", stats.restored);
  add_count("evicted", stats.evictions);
  return result;
}

std::uint64_t figure(const node_report& report, std::string_view name) noexcept {
  auto found = std::ranges::find(report.figures, name, &named_figure::name);
  return found == report.figures.end() ? 0 : found->value;
}

// -- objects ------------------------------------------------------------------------------------

void object_listing::set(std::vector<new_reference> known) {
  if (known.size() > most_) {
    left_out = known.size() - most_;
    auto end = known.begin() + static_cast<std::ptrdiff_t>(most_);
    std::ranges::nth_element(known, end, std::greater{}, &new_reference::size_bytes);
    known.erase(end, known.end());
  }
  std::ranges::sort(known, {}, &new_reference::sequence);
  objects.reserve(known.size());
  for (const auto& each : known)
    objects.push_back({.sequence = each.sequence,
                       .size_bytes = each.size_bytes,
                       .state = state_of(each.place),
                       .type = {},
                       .borrowers = {}});
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

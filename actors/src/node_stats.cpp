#include "mobula/actors/node_stats.hpp"

#include <fmt/format.h>

namespace mobula {

bool node_stats::nothing_left() const noexcept {
  return owned == object_count{} && pending_objects == 0 && inline_values == object_count{}
         && failed_objects == 0 && stored == object_count{} && resident == object_count{}
         && pinned == object_count{} && spilled == object_count{} && reserved_bytes == 0
         && waiting_puts == 0 && spill_file_bytes == 0 && spill_files == 0 && references == 0
         && entries == 0 && waiting_gets == 0;
}

namespace {

void append(std::string& text, std::string_view name, const object_count& count) {
  fmt::format_to(std::back_inserter(text), "{:<22}{} objects, {} bytes\n", name, count.objects,
                 count.bytes);
}

void append(std::string& text, std::string_view name, std::uint64_t count) {
  fmt::format_to(std::back_inserter(text), "{:<22}{}\n", name, count);
}

} // namespace

std::string to_string(const node_stats& stats) {
  std::string text;
  append(text, "owned", stats.owned);
  append(text, "  pending", stats.pending_objects);
  append(text, "  inline", stats.inline_values);
  append(text, "  failed", stats.failed_objects);
  append(text, "  stored", stats.stored);
  append(text, "in memory", stats.resident);
  append(text, "pinned by views", stats.pinned);
  append(text, "on disk only", stats.spilled);
  append(text, "reserved bytes", stats.reserved_bytes);
  append(text, "lent bytes", stats.lent_bytes);
  append(text, "waiting puts", stats.waiting_puts);
  append(text, "waiting gets", stats.waiting_gets);
  append(text, "spill files", stats.spill_files);
  append(text, "spill file bytes", stats.spill_file_bytes);
  append(text, "references", stats.references);
  append(text, "table entries", stats.entries);
  append(text, "messages", stats.messages);
  append(text, "references added", stats.references_added);
  append(text, "references removed", stats.references_removed);
  append(text, "evictions", stats.evictions);
  append(text, "written to disk", stats.written);
  append(text, "restored from disk", stats.restored);
  append(text, "moved on disk", stats.moved);
  append(text, "store capacity bytes", stats.store_capacity_bytes);
  return text;
}

} // namespace mobula

#include "mobula/actors/node_stats.hpp"

#include <fmt/format.h>

namespace mobula {

bool node_stats::nothing_left() const noexcept {
  return owned == object_count{} && pending_objects == 0 && inline_values == object_count{}
         && failed_objects == 0 && stored == object_count{} && resident == object_count{}
         && pinned == object_count{} && spilled == object_count{} && reserved_bytes == 0
         && waiting_puts == 0 && arena_used_bytes == 0 && table_slots_used == 0
         && spill_file_bytes == 0 && spill_files == 0 && references == 0 && entries == 0
         && waiting_gets == 0 && open_transits == 0 && exported_objects == 0 && known_copies == 0
         && borrowed_objects == 0 && peer_waits == 0 && peer_timers == 0 && pulls == 0
         && pushes == 0;
}

namespace {

double rate(std::uint64_t bytes, std::chrono::nanoseconds time) {
  return time.count() > 0 ? static_cast<double>(bytes) * 1e9 / static_cast<double>(time.count())
                          : 0.0;
}

void append_rate(std::string& text, std::string_view name, double bytes_a_second) {
  fmt::format_to(std::back_inserter(text), "{:<22}{:.0f} MB/s\n", name, bytes_a_second / 1e6);
}

void append(std::string& text, std::string_view name, const object_count& count) {
  fmt::format_to(std::back_inserter(text), "{:<22}{} objects, {} bytes\n", name, count.objects,
                 count.bytes);
}

void append(std::string& text, std::string_view name, std::uint64_t count) {
  fmt::format_to(std::back_inserter(text), "{:<22}{}\n", name, count);
}

} // namespace

double node_stats::write_rate() const noexcept {
  return rate(written.bytes, writing_time);
}

double node_stats::read_rate() const noexcept {
  return rate(restored.bytes, reading_time);
}

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
  append(text, "references under way", stats.open_transits);
  append(text, "held by others", stats.exported_objects);
  append(text, "copies elsewhere", stats.known_copies);
  append(text, "borrowed", stats.borrowed_objects);
  append(text, "waits for others", stats.peer_waits);
  append(text, "timers for others", stats.peer_timers);
  append(text, "pulls", stats.pulls);
  append(text, "pushes", stats.pushes);
  append(text, "pulled", stats.pulled);
  append(text, "  failed", stats.failed_pulls);
  append(text, "  broken asks", stats.lost_asks);
  append(text, "  timers", stats.pull_timers);
  append(text, "pushed bytes", stats.pushed_bytes);
  append(text, "  refused asks", stats.refused_asks);
  append(text, "messages to others", stats.peer_messages);
  append(text, "messages", stats.messages);
  append(text, "references added", stats.references_added);
  append(text, "references removed", stats.references_removed);
  append(text, "evictions", stats.evictions);
  append(text, "unloads", stats.unloads);
  append(text, "written to disk", stats.written);
  append_rate(text, "  rate", stats.write_rate());
  append(text, "restored from disk", stats.restored);
  append_rate(text, "  rate", stats.read_rate());
  append(text, "moved on disk", stats.moved);
  append(text, "failed writes", stats.spill_failures);
  append(text, "waits for room", stats.room_waits);
  append(text, "overtakings", stats.overtakings);
  append(text, "refusals", stats.refusals);
  append(text, "stalls", stats.stalls);
  append(text, "store capacity bytes", stats.store_capacity_bytes);
  append(text, "arena bytes", stats.arena_bytes);
  append(text, "  committed", stats.arena_committed_bytes);
  append(text, "  used", stats.arena_used_bytes);
  append(text, "  free and faulted in", stats.prefault_ready_bytes);
  append(text, "  wanted faulted in", stats.prefault_target_bytes);
  append(text, "  faulted in by puts", stats.late_commit_bytes);
  append(text, "  free pieces", stats.free_extents);
  append(text, "  largest piece", stats.largest_free_bytes);
  append(text, "table slots used", stats.table_slots_used);
  append(text, "  of", stats.table_slots);
  append(text, "  objects without", stats.table_misses);
  return text;
}

} // namespace mobula

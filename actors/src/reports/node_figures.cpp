// The one table of a node's figures: their names and labels, and which of them are zero when
// nothing is left. What prints them, sends them or looks for leaks goes by it.

#include "node_figures.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "mobula/serialization/counted.hpp"

namespace mobula {

namespace {

using stats = node_stats;
constexpr auto holding = figure_kind::holding;
constexpr auto other = figure_kind::other;

const std::array figures{
  node_figure{"owned", "owned", holding, &stats::owned},
  node_figure{"pending_objects", "  pending", holding, &stats::pending_objects},
  node_figure{"inline", "  inline", holding, &stats::inline_values},
  node_figure{"failed_objects", "  failed", holding, &stats::failed_objects},
  node_figure{"stored", "  stored", holding, &stats::stored},
  node_figure{"resident", "in memory", holding, &stats::resident},
  node_figure{"pinned", "pinned by views", holding, &stats::pinned},
  node_figure{"spilled", "on disk only", holding, &stats::spilled},
  node_figure{"heap_bytes", "heap bytes", holding, &stats::heap_bytes},
  node_figure{"leaving_heap", "  leaving", holding, &stats::leaving_heap},
  node_figure{"waiting_for_heap", "  waiting puts", holding, &stats::waiting_for_heap},
  node_figure{"reserved_bytes", "reserved bytes", holding, &stats::reserved_bytes},
  node_figure{"lent_bytes", "lent bytes", other, &stats::lent_bytes},
  node_figure{"waiting_puts", "waiting puts", holding, &stats::waiting_puts},
  node_figure{"waiting_gets", "waiting gets", holding, &stats::waiting_gets},
  node_figure{"spill_files", "spill files", holding, &stats::spill_files},
  node_figure{"spill_file_bytes", "spill file bytes", holding, &stats::spill_file_bytes},
  node_figure{"references", "references", holding, &stats::references},
  node_figure{"entries", "table entries", holding, &stats::entries},
  node_figure{"open_transits", "references under way", holding, &stats::open_transits},
  node_figure{"exported_objects", "held by others", holding, &stats::exported_objects},
  node_figure{"known_copies", "copies elsewhere", holding, &stats::known_copies},
  node_figure{"borrowed_objects", "borrowed", holding, &stats::borrowed_objects},
  node_figure{"peer_waits", "waits for others", holding, &stats::peer_waits},
  node_figure{"peer_timers", "timers for others", holding, &stats::peer_timers},
  node_figure{"timers", "timers", other, &stats::timers},
  node_figure{"pulls", "pulls", holding, &stats::pulls},
  node_figure{"pushes", "pushes", holding, &stats::pushes},
  node_figure{"pulled", "pulled", other, &stats::pulled},
  node_figure{"failed_pulls", "  failed", other, &stats::failed_pulls},
  node_figure{"lost_asks", "  broken asks", other, &stats::lost_asks},
  node_figure{"unreachable_ports", "  data ports out of reach", other, &stats::unreachable_ports},
  node_figure{"pushed_bytes", "pushed bytes", other, &stats::pushed_bytes},
  node_figure{"refused_asks", "  refused asks", other, &stats::refused_asks},
  node_figure{"peer_messages", "messages to others", other, &stats::peer_messages},
  node_figure{"messages", "messages", other, &stats::messages},
  node_figure{"references_added", "references added", other, &stats::references_added},
  node_figure{"references_removed", "references removed", other, &stats::references_removed},
  node_figure{"evicted", "evictions", other, &stats::evictions},
  node_figure{"unloads", "unloads", other, &stats::unloads},
  node_figure{"written", "written to disk", other, &stats::written},
  node_figure{"restored", "restored from disk", other, &stats::restored},
  node_figure{"moved", "moved on disk", other, &stats::moved},
  node_figure{"spill_failures", "failed writes", other, &stats::spill_failures},
  node_figure{"space_waits", "waits for space", other, &stats::space_waits},
  node_figure{"overtakings", "overtakings", other, &stats::overtakings},
  node_figure{"refusals", "refusals", other, &stats::refusals},
  node_figure{"stalls", "stalls", other, &stats::stalls},
  node_figure{"left_heap", "left the heap", other, &stats::left_heap},
  node_figure{"decoded_dropped", "  decoded, dropped", other, &stats::decoded_dropped},
  node_figure{"heap_refusals", "  refusals", other, &stats::heap_refusals},
  node_figure{"heap_limit_bytes", "heap limit bytes", other, &stats::heap_limit_bytes},
  node_figure{"store_capacity_bytes", "store capacity bytes", other, &stats::store_capacity_bytes},
  node_figure{"arena_bytes", "arena bytes", other, &stats::arena_bytes},
  node_figure{"arena_committed_bytes", "  committed", other, &stats::arena_committed_bytes},
  node_figure{"arena_used_bytes", "  used", holding, &stats::arena_used_bytes},
  node_figure{"prefault_ready_bytes", "  free and faulted in", other, &stats::prefault_ready_bytes},
  node_figure{"prefault_target_bytes", "  wanted faulted in", other, &stats::prefault_target_bytes},
  node_figure{"late_commit_bytes", "  faulted in by puts", other, &stats::late_commit_bytes},
  node_figure{"free_extents", "  free pieces", other, &stats::free_extents},
  node_figure{"largest_free_bytes", "  largest piece", other, &stats::largest_free_bytes},
  node_figure{"table_slots_used", "table slots used", holding, &stats::table_slots_used},
  node_figure{"table_slots", "  of", other, &stats::table_slots},
  node_figure{"table_misses", "  objects without", other, &stats::table_misses},
};

double rate(std::uint64_t bytes, std::chrono::nanoseconds time) {
  return time.count() > 0 ? static_cast<double>(bytes) * 1e9 / static_cast<double>(time.count())
                          : 0.0;
}

std::string text_of(std::uint64_t count) {
  return std::to_string(count);
}

std::string text_of(const object_count& count) {
  return fmt::format("{}, {}", counted(count.objects, "object"), counted(count.bytes, "byte"));
}

} // namespace

std::span<const node_figure> node_figures() noexcept {
  return figures;
}

bool node_stats::nothing_left() const noexcept {
  auto is_zero = [this]<class T>(T node_stats::*where) {
    return this->*where == T{};
  };
  return std::ranges::all_of(figures, [&](const node_figure& figure) {
    return figure.kind == other || std::visit(is_zero, figure.where);
  });
}

std::string node_stats::what_is_left() const {
  std::string text;
  for (const auto& figure : figures) {
    auto add = [&]<class T>(T node_stats::*where) {
      if (figure.kind == holding && this->*where != T{})
        fmt::format_to(std::back_inserter(text), "  {:<22}{}\n", figure.name,
                       text_of(this->*where));
    };
    std::visit(add, figure.where);
  }
  return text;
}

double spill_figures::write_rate() const noexcept {
  return rate(written.bytes, writing_time);
}

double spill_figures::read_rate() const noexcept {
  return rate(restored.bytes, reading_time);
}

std::string to_string(const node_stats& stats) {
  std::string text;
  auto add = [&text](std::string_view label, const std::string& value) {
    fmt::format_to(std::back_inserter(text), "{:<22}{}\n", label, value);
  };
  for (const auto& figure : figures)
    add(figure.label, std::visit([&](auto where) { return text_of(stats.*where); }, figure.where));
  add("disk writes", fmt::format("{:.0f} MB/s", stats.write_rate() / 1e6));
  add("disk reads", fmt::format("{:.0f} MB/s", stats.read_rate() / 1e6));
  return text;
}

} // namespace mobula

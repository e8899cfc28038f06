#pragma once

#include <cstdint>
#include <vector>

#include "mobula/actors/reports/node_report.hpp"

namespace mobula {

/// Where the memory of this process is, as far as the kernel and the C library tell. What is freed
/// need not go back to the system: the library keeps it for what is allocated next, and no figure
/// of the store shows it.
struct process_memory {
  std::uint64_t resident_bytes = 0; ///< in memory now, the arena's pages that were touched included
  std::uint64_t shared_bytes = 0;   ///< of these: arenas, files and libraries
  std::uint64_t allocated_bytes = 0;      ///< what the program has of the C library
  std::uint64_t allocator_kept_bytes = 0; ///< what the library keeps; `malloc_trim` gives it back
};

/// Reads a file of the kernel's and walks the library's free lists: some milliseconds after
/// millions of objects. What cannot be known is 0.
[[nodiscard]] process_memory look_at_process_memory();

/// Adds them to the figures of a report.
void add_process_figures(std::vector<named_figure>& figures);

} // namespace mobula

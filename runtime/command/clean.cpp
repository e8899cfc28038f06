// `mobula clean`: removes what dead nodes left in arena and spill directories, and says what that
// was. Which nodes are dead is known from their locks; no node is asked.

#include "clean.hpp"

#include <cstdlib>
#include <iostream>

#include <fmt/format.h>

#include "mobula/runtime/option_ranges.hpp"
#include "mobula/store/arena/arena_segment.hpp"
#include "mobula/store/spill/spill_claim.hpp"

namespace mobula::command {

namespace {

/// Prints what a sweep did. Returns whether it could do all.
bool report(const std::string& directory, std::string_view things, const sweep_result& result) {
  std::cout << fmt::format("{}: removed {} {} ({})", directory, result.files_removed, things,
                           internal::show_bytes(result.bytes_removed));
  if (result.incarnations_alive > 0)
    std::cout << fmt::format(", left those of {} that live or cannot be asked",
                             result.incarnations_alive);
  std::cout << '\n';
  for (const auto& failure : result.failures)
    std::cerr << "mobula: " << explain(failure) << '\n';
  return result.failures.empty();
}

} // namespace

int clean(const clean_options& options) {
  auto well = report(options.arena_directory, "arenas", sweep_arenas(options.arena_directory));
  for (const auto& directory : options.spill_directories)
    well = report(directory, "spill files", sweep_directory(directory)) && well;
  return well ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace mobula::command

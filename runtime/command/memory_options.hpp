#pragma once

#include <cstddef>

namespace mobula::command {

enum class grouping { none, owner, type, state, call_site };
enum class sorting { size, references, age };

/// What `mobula memory` shows.
struct memory_options {
  grouping group = grouping::none;
  sorting sort = sorting::size;
  std::size_t max_rows = 40;
};

} // namespace mobula::command

#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "mobula/actors/node_options.hpp"
#include "mobula/serialization/ids.hpp"
#include "mobula/store/shard_heap.hpp"

namespace mobula {

/// A node's shared memory, and the heap of each of its shards.
struct node_arena {
  std::shared_ptr<arena_segment> segment;
  std::vector<std::shared_ptr<shard_heap>> heaps;
};

/// Returns the size that the options ask for; where they leave it open, 30 % of memory, but at most
/// 15/16 of what the arena's directory and memory cgroups can give. Throws `object_error`
/// (`invalid_argument`), naming the directory and what to do, if that cannot be found out or is too
/// little for the shards.
[[nodiscard]] std::uint64_t resolve_store_size(const node_options& options);

/// Sweeps the arenas of dead nodes, then makes one for `incarnation`, named with `label`. Throws
/// `object_error`
/// (`invalid_argument`), naming option, directory and remedy, if it cannot be made or would not
/// fit. REQUIRES: the store's size is resolved.
[[nodiscard]] node_arena open_arena(const node_options& options, const incarnation_id& incarnation,
                                    std::string_view label);

} // namespace mobula

#pragma once

#include <memory>
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

/// What tells a host's arenas apart.
enum class arena_naming : std::uint8_t {
  by_incarnation, ///< a second node that claims the same incarnation is refused
  by_chance       ///< simulations that run at the same time may have the same seed
};

/// Sweeps the arenas of dead nodes, then makes one for `incarnation`. Throws `object_error`
/// (`invalid_argument`), naming option, directory and remedy, if it cannot be made or would not
/// fit. REQUIRES: the store's size is resolved.
[[nodiscard]] node_arena open_arena(const node_options& options, const incarnation_id& incarnation,
                                    arena_naming naming);

} // namespace mobula

#pragma once

#include <memory>
#include <string_view>

#include "mobula/actors/node/node_options.hpp"
#include "mobula/serialization/ids.hpp"
#include "mobula/store/arena/shared_heap.hpp"

namespace mobula {

/// A node's shared memory, and its heap.
struct node_arena {
  std::shared_ptr<arena_segment> segment;
  std::shared_ptr<shared_heap> heap;
};

/// Sweeps the arenas of dead nodes, so that their memory counts as free, and returns the size that
/// the options ask for; where they leave it open, `default_arena_bytes`, or the most that the
/// arena's directory has space for. Throws `object_error` (`invalid_argument`), naming the
/// directory and what to do, if that cannot be found out or is too little for the shards.
[[nodiscard]] std::uint64_t resolve_store_size(const node_options& options);

/// Returns how much memory each heap should keep faulted in. REQUIRES: the store's size is
/// resolved.
[[nodiscard]] page_stock stock_of_heap(const node_options& options) noexcept;

/// Returns the limit of the process heap that the options ask for; where they leave it open, 20 %
/// of the memory that the machine or a memory cgroup grants.
[[nodiscard]] std::uint64_t resolve_heap_limit(const node_options& options);

/// Makes an arena for `incarnation`, named with `label`. Throws `object_error`
/// (`invalid_argument`), naming option, directory and remedy, if it cannot be made or would not
/// fit. REQUIRES: the store's size is resolved.
[[nodiscard]] node_arena open_arena(const node_options& options, const incarnation_id& incarnation,
                                    std::string_view label);

} // namespace mobula

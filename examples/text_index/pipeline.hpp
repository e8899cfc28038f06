#pragma once

#include <memory>

#include "builder.hpp"
#include "workers.hpp"

namespace text_index {

struct pipeline_options {
  std::size_t indexers = 2;
  std::size_t partitions = 8;
  batch_limits limits;
  /// As in `workforce`.
  std::size_t least_nodes = 0;
};

/// Starts the actors that index for a node, without a reader and a builder.
workforce spawn_workers(mobula::node& node, const pipeline_options& options);

/// Starts the actors that index what `reader` reads. They end when the builder has answered its one
/// request, or with several nodes when it has answered both. `node` must outlive them; `progress`
/// may be null.
builder_actor spawn_pipeline(mobula::node& node, reader_actor reader,
                             const pipeline_options& options, progress_actor progress = {});

} // namespace text_index

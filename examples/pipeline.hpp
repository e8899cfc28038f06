#pragma once

#include <memory>

#include "builder.hpp"
#include "workers.hpp"

namespace text_index {

struct pipeline_options {
  std::size_t indexers = 2;
  std::size_t partitions = 8;
  batch_limits limits;
};

/// Starts the actors that index what `reader` reads. They end when the builder has answered its one
/// request. `node` must outlive them; `progress` may be null.
builder_actor spawn_pipeline(mobula::node& node, reader_actor reader,
                             const pipeline_options& options, progress_actor progress = {});

} // namespace text_index

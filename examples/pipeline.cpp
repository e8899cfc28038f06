#include "pipeline.hpp"

#include <algorithm>

namespace text_index {

builder_actor spawn_pipeline(mobula::node& node, reader_actor reader,
                             const pipeline_options& options, progress_actor progress) {
  auto& system = node.system();
  workforce workers{
    .reader = std::move(reader), .indexers = {}, .mergers = {}, .progress = std::move(progress)};
  for (std::size_t i = 0; i < options.indexers; ++i)
    workers.indexers.push_back(system.spawn(indexer, &node, options.partitions));
  for (std::size_t i = 0; i < std::max<std::size_t>(1, options.indexers / 2); ++i)
    workers.mergers.push_back(system.spawn(merger, &node));
  return system.spawn(builder, std::move(workers), options.partitions);
}

} // namespace text_index

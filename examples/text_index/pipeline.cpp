// Spawns what builds an index on one node: indexers, half as many mergers, and the builder that
// gives them work.

#include "pipeline.hpp"

#include <algorithm>

namespace text_index {

workforce spawn_workers(mobula::node& node, const pipeline_options& options) {
  auto& system = node.system();
  workforce result;
  for (std::size_t i = 0; i < options.indexers; ++i)
    result.indexers.push_back(system.spawn(indexer, &node));
  for (std::size_t i = 0; i < std::max<std::size_t>(1, options.indexers / 2); ++i)
    result.mergers.push_back(system.spawn(merger, &node));
  return result;
}

builder_actor spawn_pipeline(mobula::node& node, reader_actor reader,
                             const pipeline_options& options, progress_actor progress) {
  auto workers = spawn_workers(node, options);
  workers.reader = std::move(reader);
  workers.progress = std::move(progress);
  workers.least_nodes = options.least_nodes;
  return node.system().spawn(builder, std::move(workers), options.partitions);
}

} // namespace text_index

#pragma once

#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "pipeline.hpp"

// What a process does that joins: it works for the builder of another node.

namespace text_index {

/// Returns whether nothing is left on a node. That it keeps the time since others left does not
/// count: what it held for them would.
bool holds_nothing(mobula::node_stats stats);

/// Waits until the node holds nothing, and returns its last figures. What takes longer than
/// all that the node grants lost nodes and messages is a leak.
mobula::node_stats stats_at_rest(mobula::node& node);

/// How a process names its node to people.
std::string name_of_this_process();

/// Stops the workers and waits until the node is empty, which blocks: wants a thread of its own
/// (`caf::detached`). Ends with its answer. What it answered is in `rest`, too.
class foreman_state {
public:
  void init(foreman_actor::pointer self, mobula::node& node, workforce workers,
            std::shared_ptr<std::promise<node_rest>> rest);

  node_rest dismissed();

private:
  foreman_actor::pointer self_ = nullptr;
  mobula::node* node_ = nullptr;
  workforce workers_;
  std::shared_ptr<std::promise<node_rest>> rest_;
};

/// Works for the builder that the cluster knows, until it dismisses this node. Returns what is left
/// then. Throws `object_error`: `name_not_found` if there is no builder, `node_died` if it ends
/// before.
node_rest work_for_others(mobula::node& node, const pipeline_options& options);

} // namespace text_index

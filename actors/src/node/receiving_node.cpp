// Finds the node that a deserialized reference comes to: the one that a scope of the thread names,
// else the first node of the actor system that joined a cluster.

#include "mobula/actors/node/receiving_node.hpp"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "mobula/actors/node/node_core.hpp"

namespace mobula {

namespace {

thread_local node_core* current = nullptr;

struct node_list {
  std::mutex mutex;
  std::vector<std::pair<caf::actor_system*, node_core*>> nodes; ///< in the order of joining
};

node_list& all_nodes() {
  // Never destroyed: static objects may own nodes.
  static auto& instance = *new node_list;
  return instance;
}

} // namespace

receiving_scope::receiving_scope(node_core& core) noexcept : outer_(std::exchange(current, &core)) {
  // nop
}

receiving_scope::~receiving_scope() {
  current = outer_;
}

void receiving_nodes::enlist(node_core& core) {
  auto& list = all_nodes();
  std::unique_lock guard{list.mutex};
  list.nodes.emplace_back(&core.system(), &core);
}

void receiving_nodes::delist(node_core& core) noexcept {
  auto& list = all_nodes();
  std::unique_lock guard{list.mutex};
  std::erase_if(list.nodes, [&](const auto& entry) { return entry.second == &core; });
}

core_pointer receiving_nodes::find(caf::actor_system& system) {
  if (current != nullptr)
    return core_pointer{current};
  auto& list = all_nodes();
  std::unique_lock guard{list.mutex};
  auto found =
    std::ranges::find(list.nodes, &system, &std::pair<caf::actor_system*, node_core*>::first);
  return found == list.nodes.end() ? core_pointer{} : core_pointer{found->second};
}

} // namespace mobula

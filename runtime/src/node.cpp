// The node that applications make: checks its options and its surroundings once, and then leaves
// all work to its core.

#include "mobula/node.hpp"

#include "mobula/actors/launch/launch_node.hpp"
#include "mobula/actors/node/figure_collection.hpp"
#include "mobula/config.hpp"
#include "mobula/runtime/cluster_options.hpp"
#include "mobula/runtime/cluster_question.hpp"
#include "mobula/runtime/option_ranges.hpp"
#include "mobula/runtime/worker_thread.hpp"

namespace mobula {

using namespace internal;

namespace {

/// Without its thread hook, an actor would wait for space with the thread that makes some.
void require_mobula_config(const caf::actor_system& system) {
  if (dynamic_cast<const config*>(&system.config()) == nullptr)
    throw object_error{{.type = error_type::invalid_argument,
                        .message = "the configuration of the node's actor system is no "
                                   "mobula::config; derive yours from it, in place of "
                                   "caf::actor_system_config"}};
}

/// A path means the same for as long as the node lives, and to other processes.
std::string absolute(const std::string& path) {
  return path.starts_with('/') ? path : place_of_directory(path);
}

/// All that a node depends on, whichever way it came.
node_options checked(node_options options, const caf::actor_system& system) {
  require_mobula_config(system);
  require_valid(options);
  options.arena_directory = absolute(options.arena_directory);
  for (auto& directory : options.spill_directories)
    directory = absolute(directory);
  static_cast<void>(read_heartbeat_times(system.config()));
  return options;
}

} // namespace

node::node(caf::actor_system& system) : node(system, read_options(system.config())) {
  // nop
}

node::node(caf::actor_system& system, node_options options)
  : core_(launch_node(system, checked(std::move(options), system))) {
  // nop
}

node::~node() {
  core_->shut_down();
}

ObjectRef<std::string> node::put(std::string_view text, const call_site& where) {
  return put_as<codec_id::raw>(std::string{text}, where);
}

node_stats node::stats() const {
  core_->require_home();
  require_no_watcher(*core_, "node::stats");
  require_may_block("node::stats", "a thread of its own");
  return collect_figures(*core_);
}

drain_result node::drain(const wait_limit& limit) {
  require_valid(limit);
  return drain_node(*core_, limit.value_or(std::chrono::nanoseconds::max()));
}

void node::shutdown() {
  core_->require_home();
  require_no_watcher(*core_, "node::shutdown");
  require_may_block("node::shutdown", "the thread that made the node");
  core_->shut_down();
}

const incarnation_id& node::incarnation() const noexcept {
  return core_->incarnation();
}

const node_options& node::options() const noexcept {
  return core_->options();
}

caf::actor_system& node::system() const noexcept {
  return core_->system();
}

} // namespace mobula

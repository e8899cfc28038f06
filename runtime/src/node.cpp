#include "mobula/node.hpp"

#include <future>

#include <fmt/format.h>

#include "mobula/actors/cluster_actor.hpp"
#include "mobula/actors/simulated_wait.hpp"
#include "mobula/config.hpp"

namespace mobula {

namespace {

node_options checked(node_options options) {
  require_valid(options);
  return options;
}

} // namespace

node::node(caf::actor_system& system) : node(system, read_options(system.config())) {
  // nop
}

node::node(caf::actor_system& system, node_options options)
  : core_(node_core::start(system, checked(std::move(options)))) {
  // nop
}

node::~node() {
  shutdown();
}

ObjectRef<std::string> node::put(std::string_view text, const call_site& where) {
  return put_as<codec_id::raw>(std::string{text}, where);
}

node_stats node::stats() const {
  return core_->collect();
}

drain_result node::drain(std::chrono::nanoseconds limit) {
  if (!core_->in_cluster())
    throw object_error{
      {.type = error_type::invalid_argument,
       .message = fmt::format("node {} is in no cluster, where others could keep its values; have "
                              "it listen or join first",
                              to_string(core_->incarnation())),
       .origin = core_->origin()}};
  auto promised = std::make_shared<std::promise<drain_result>>();
  auto answer = promised->get_future();
  caf::anon_send(core_->cluster(), drain_values{limit, std::move(promised)});
  if (auto* scheduler = core_->simulation(); scheduler != nullptr)
    static_cast<void>(simulate_until(*scheduler, [&] {
      return answer.wait_for(std::chrono::seconds::zero()) == std::future_status::ready;
    }));
  try {
    return answer.get();
  } catch (const std::future_error&) {
    // The actor is gone, and with it the question.
    throw object_error{core_->shutting_down_error()};
  }
}

void node::shutdown() {
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

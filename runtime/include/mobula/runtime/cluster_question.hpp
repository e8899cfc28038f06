#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "mobula/actors/drain_table.hpp"
#include "mobula/actors/node_core.hpp"
#include "mobula/actors/simulated_wait.hpp"

namespace mobula {

/// What a question to a node's cluster is about, for errors.
struct question_subject {
  std::string_view without_cluster; ///< what the node lacks outside of a cluster, after "has"
  std::string_view without_answer;  ///< what nothing in a simulation does, after "could"
};

/// Sends a request to the cluster actor and blocks until it has answered, in a simulation by
/// running it. Throws `object_error` if the node is in no cluster, if the actor is gone, or if
/// nothing in the simulation could bring the answer.
template <class Answer, class Request>
Answer ask_cluster(node_core& core, Request request, const question_subject& about) {
  auto refuse = [&](error_type type, std::string text) {
    throw object_error{{.type = type, .message = std::move(text), .origin = core.origin()}};
  };
  core.require_home();
  if (!core.in_cluster())
    refuse(error_type::invalid_argument,
           fmt::format("node {} is in no cluster and has {}; have it listen or join first",
                       to_string(core.incarnation()), about.without_cluster));
  auto promised = std::make_shared<std::promise<Answer>>();
  auto answer = promised->get_future();
  request.answer = std::move(promised);
  caf::anon_send(core.cluster(), std::move(request));
  auto is_there = [&] {
    return answer.wait_for(std::chrono::seconds::zero()) == std::future_status::ready;
  };
  if (auto* scheduler = core.simulation();
      scheduler != nullptr && simulate_until(*scheduler, is_there) != simulated_end::done)
    refuse(
      error_type::would_block_forever,
      fmt::format("nothing in the simulation is under way that could {}", about.without_answer));
  try {
    return answer.get();
  } catch (const std::future_error&) {
    // The actor is gone, and with it the question.
    throw object_error{core.shutting_down_error()};
  }
}

/// What `node::drain` does.
drain_result drain_node(node_core& core, std::chrono::nanoseconds limit);

} // namespace mobula

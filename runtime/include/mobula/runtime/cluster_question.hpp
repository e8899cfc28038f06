#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "mobula/actors/caf/simulated_wait.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/protocol/references/drain_table.hpp"
#include "mobula/runtime/worker_thread.hpp"

namespace mobula::internal {

/// What a question to a node's cluster is about, for errors.
struct question_subject {
  std::string_view caller;         ///< what asks
  std::string_view without_answer; ///< what nothing in a simulation does, after "could"
  std::string_view instead;        ///< what actors call, after "use"
};

/// Throws `object_error` (`invalid_argument`) in a function that watches the members: it runs in
/// the cluster actor, which cannot answer meanwhile. `what` is who would wait.
void require_no_watcher(const node_core& core, std::string_view what);

/// Returns how long a thread waits for what the cluster actor is to answer within `limit`: some
/// seconds more, since an actor that is held up keeps no limits. Without one, as long as it takes.
[[nodiscard]] std::chrono::nanoseconds
with_answer(const std::optional<std::chrono::nanoseconds>& limit);

/// What a service answers a thread of this node with. The thread that waits for it looks for it
/// when the last copy is gone, which is right after it was set, or when it never will be.
template <class Answer>
std::shared_ptr<std::promise<Answer>> make_answer(node_core& core) {
  return {new std::promise<Answer>, [core = core_pointer{&core}](auto* promised) {
            delete promised;
            core->answer_given();
          }};
}

/// Blocks until the answer is there. Returns false if nobody will give it: within `limit`, or
/// because the services have ended or were left behind. REQUIRES: not in a simulation.
template <class Answer>
bool await(node_core& core, const std::future<Answer>& answer,
           std::chrono::nanoseconds limit = std::chrono::nanoseconds::max()) {
  return core.await_answer(
    [&] { return answer.wait_for(std::chrono::seconds::zero()) == std::future_status::ready; },
    limit);
}

/// Sends a request to the cluster actor and blocks until it has answered, in a simulation by
/// running it, but no longer than `limit`. Throws `object_error` in a function that watches the
/// members, on a thread that actors share, if the actor is gone or held up, or if nothing in the
/// simulation could bring the answer. REQUIRES: the node has a cluster actor, and is at home.
template <class Answer, class Request>
Answer ask_cluster(node_core& core, Request request, const question_subject& about,
                   std::chrono::nanoseconds limit = std::chrono::nanoseconds::max()) {
  auto refuse = [&](error_type type, std::string text) {
    throw object_error{{.type = type, .message = std::move(text), .origin = core.origin()}};
  };
  require_no_watcher(core, about.caller);
  require_may_block(about.caller, about.instead);
  auto promised = make_answer<Answer>(core);
  auto answer = promised->get_future();
  request.answer = std::move(promised);
  caf::anon_send(core.cluster(), std::move(request));
  if (auto* scheduler = core.simulation(); scheduler != nullptr) {
    auto is_there = [&] {
      return answer.wait_for(std::chrono::seconds::zero()) == std::future_status::ready;
    };
    if (simulate_until(*scheduler, is_there) != simulated_end::done)
      refuse(
        error_type::would_block_forever,
        fmt::format("nothing in the simulation is under way that could {}", about.without_answer));
  } else if (!await(core, answer, limit)) {
    if (core.services_gone())
      throw object_error{core.shutting_down_error()};
    refuse(error_type::get_timed_out,
           fmt::format("the cluster actor of node {} did not answer in time: something that the "
                       "application runs in it, a function that watches the members, holds it up",
                       to_string(core.incarnation())));
  }
  try {
    return answer.get();
  } catch (const std::future_error&) {
    // The actor is gone, and with it the question.
    throw object_error{core.shutting_down_error()};
  }
}

/// What `node::drain` does.
drain_result drain_node(node_core& core, std::chrono::nanoseconds limit);

} // namespace mobula::internal

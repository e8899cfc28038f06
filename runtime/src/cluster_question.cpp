// What threads ask a node's cluster actor, and how long they wait for it: that actor runs functions
// of the application, which may hold it up.

#include "mobula/runtime/cluster_question.hpp"

#include "mobula/actors/membership/member_watchers.hpp"
#include "mobula/actors/messages/cluster_requests.hpp"

namespace mobula::internal {

namespace {

/// How much longer than its own limit a question may take: an actor that is not held up answers a
/// good deal sooner.
constexpr std::chrono::seconds answer_limit{10};

} // namespace

void require_no_watcher(const node_core& core, std::string_view what) {
  if (in_member_watcher())
    throw object_error{
      {.type = error_type::invalid_argument,
       .message = fmt::format("{} was called in a function that watches the members: that runs in "
                              "an actor of the node's, which cannot answer meanwhile; have another "
                              "thread or actor do so",
                              what),
       .origin = core.origin()}};
}

std::chrono::nanoseconds with_answer(const std::optional<std::chrono::nanoseconds>& limit) {
  constexpr auto never = std::chrono::nanoseconds::max();
  return !limit || *limit >= never - answer_limit ? never : *limit + answer_limit;
}

drain_result drain_node(node_core& core, std::chrono::nanoseconds limit) {
  core.require_home();
  if (core.closing())
    throw object_error{core.shutting_down_error()};
  // The actor alone may run for the names of a node that is on its own.
  if (!core.in_cluster() || !core.membership_claimed())
    throw object_error{
      {.type = error_type::invalid_argument,
       .message = fmt::format("node {} is in no cluster and has nobody who could keep its values; "
                              "have it listen or join first",
                              to_string(core.incarnation())),
       .origin = core.origin()}};
  return ask_cluster<drain_result>(core, drain_values{.limit = limit, .answer = {}},
                                   {.caller = "draining a node",
                                    .without_answer = "have others keep values",
                                    .instead = "a thread of the application's own"},
                                   with_answer(limit));
}

} // namespace mobula::internal

// The last steps of a node in its cluster, in their order: others take what they need, nobody comes
// any more, all members are told, and what they are told is with the operating system.

#include "mobula/runtime/cluster_leaving.hpp"

#include <chrono>
#include <future>
#include <memory>
#include <optional>

#include <caf/send.hpp>
#include <fmt/format.h>

#include "mobula/actors/caf/caf_log.hpp"
#include "mobula/actors/caf/network_end.hpp"
#include "mobula/actors/messages/cluster_requests.hpp"
#include "mobula/runtime/cluster_question.hpp"
#include "mobula/serialization/counted.hpp"

namespace mobula::internal {

namespace {

/// How long the end of a membership waits for an actor. One that is held up, by what an application
/// runs in it, is left behind.
constexpr std::chrono::seconds end_limit{10};

void end_membership_of(const cluster_actor& actor) {
  auto answer = std::make_shared<std::promise<void>>();
  auto done = answer->get_future();
  caf::anon_send(actor, end_membership{std::move(answer)});
  done.wait_for(end_limit);
}

/// Before the port is closed: others may have to connect for what they fetch.
void drain_leaving(node_core& core) {
  auto limit = core.options().drain_timeout;
  if (limit <= std::chrono::nanoseconds::zero())
    return;
  try {
    if (auto result = drain_node(core, limit); result.lost > 0)
      log_warning(core.system(),
                  fmt::format("node {} leaves, and {} with it; {}", to_string(core.incarnation()),
                              counted(result.lost, "value that others refer to goes",
                                      "values that others refer to go"),
                              counted(result.kept, "was kept", "were kept")));
  } catch (const object_error& error) {
    // A node that has shut down before has nothing to keep any more.
    if (!core.closing())
      log_warning(core.system(), fmt::format("node {} leaves without having others keep values: "
                                             "{}",
                                             to_string(core.incarnation()), error.what()));
  }
}

} // namespace

void close_control_port(caf::actor_system& system, control_port& control,
                        const cluster_actor& actor, port_closing until) {
  auto port = control.port();
  control.stop();
  std::optional<std::chrono::seconds> limit = end_limit;
  if (until == port_closing::begun)
    limit.reset();
  end_service(system, actor.address(), port, limit);
}

void leave_cluster_of(node_core& core) {
  // A node that has shut down left on its own, and its actor system may be gone.
  if (!core.in_cluster() || core.services_gone() || !core.system().has_middleman())
    return;
  drain_leaving(core);
  core.close_port();
  end_membership_of(core.cluster());
  flush_network(core.system());
}

} // namespace mobula::internal

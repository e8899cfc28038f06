// The last steps of a node in its cluster, in their order: others take what they need, nobody comes
// any more, all members are told, and what they are told is with the operating system.

#include "mobula/runtime/cluster_leaving.hpp"

#include <chrono>
#include <future>
#include <memory>

#include <caf/io/middleman.hpp>
#include <caf/io/middleman_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <fmt/format.h>

#include "mobula/actors/messages/cluster_requests.hpp"
#include "mobula/runtime/cluster_question.hpp"

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

/// Waits until what was sent to other nodes is with the operating system: CAF drops the rest when
/// the system ends, and the others would take this node for dead instead of gone.
void flush_network(caf::actor_system& system) {
  // The broker answers the first question after it took the messages, the second in a later turn of
  // its event loop, in which it writes, and the third after that turn.
  constexpr int turns = 3;
  constexpr auto limit = std::chrono::seconds{1};
  caf::scoped_actor self{system};
  for (int turn = 0; turn < turns; ++turn)
    self->request(system.middleman().actor_handle(), limit, caf::get_atom_v, system.node())
      .receive([](const caf::node_id&, const std::string&, std::uint16_t) {},
               [](const caf::error&) {});
}

/// Before the port is closed: others may have to connect for what they fetch.
void drain_leaving(node_core& core) {
  auto limit = core.options().drain_timeout;
  if (limit <= std::chrono::nanoseconds::zero())
    return;
  try {
    if (auto result = drain_node(core, limit); result.lost > 0)
      log_warning(core.system(),
                  fmt::format("node {} leaves, and {} values that others refer to go with it; {} "
                              "were kept",
                              to_string(core.incarnation()), result.lost, result.kept));
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
  if (until == port_closing::begun)
    return caf::anon_send(system.middleman().actor_handle(), caf::unpublish_atom_v, actor.address(),
                          port);
  caf::scoped_actor self{system};
  self
    ->request(system.middleman().actor_handle(), end_limit, caf::unpublish_atom_v, actor.address(),
              port)
    .receive([] {}, [](const caf::error&) {});
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

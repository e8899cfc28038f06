// Asks CAF's network what it is asked last.

#include "mobula/actors/caf/network_end.hpp"

#include <string>

#include <caf/actor_addr.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/middleman_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

namespace mobula {

void end_service(caf::actor_system& system, const caf::actor_addr& actor, std::uint16_t port,
                 std::optional<std::chrono::seconds> limit) {
  auto network = system.middleman().actor_handle();
  if (!limit)
    return caf::anon_send(network, caf::unpublish_atom_v, actor, port);
  caf::scoped_actor self{system};
  self->request(network, *limit, caf::unpublish_atom_v, actor, port)
    .receive([] {}, [](const caf::error&) {});
}

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

} // namespace mobula

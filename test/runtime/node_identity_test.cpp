// The id by which CAF tells actor systems apart.

#include <string>

#include "two_nodes.hpp"

#include "mobula/actors/caf/registry_key.hpp"

using namespace mobula;
using test::network_config;

namespace {

struct networked_system {
  network_config settings;
  caf::actor_system system{settings};
};

/// The part that stands for the host in CAF's own ids.
std::string host_part(const caf::node_id& id) {
  return to_string(id).substr(0, 20);
}

} // namespace

TEST_CASE("actor systems of one process and host have CAF ids that have nothing in common") {
  networked_system first;
  networked_system second;
  CHECK(host_part(first.system.node()) != host_part(second.system.node()));
}

TEST_CASE("two actor systems of one configuration have different CAF ids") {
  network_config settings;
  std::string before;
  {
    caf::actor_system first{settings};
    before = host_part(first.node());
  }
  caf::actor_system second{settings};
  CHECK(host_part(second.node()) != before);
}

TEST_CASE_FIXTURE(networked_system,
                  "all that CAF names after its system has the id that was given") {
  auto actor = system.spawn<caf::hidden>([] {
    return caf::behavior{[](int) {
    }};
  });
  CHECK(actor.node() == system.node());
  CHECK(system.registry().get(registry_key("ConfigServ"))->node() == system.node());
}

TEST_CASE("a system without a network is left as CAF made it") {
  config settings;
  caf::actor_system system{settings};
  CHECK_FALSE(static_cast<bool>(system.node()));
}

// CAF 0.17 asks nobody for the id of a node: its network module computes one when modules are
// initialized, and reads it when it starts, as does everything else. In between, modules that come
// later in CAF's order are initialized; so a module is how another id gets in.

#include "mobula/actors/caf/node_identity.hpp"

#include <algorithm>
#include <random>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/node_id.hpp>
#include <unistd.h>

namespace mobula {

namespace {

caf::node_id draw_node_id() {
  caf::node_id::default_data::host_id_type host{};
  std::random_device device;
  std::uniform_int_distribution<unsigned> any{0, 255};
  do
    std::ranges::generate(host, [&] { return static_cast<std::uint8_t>(any(device)); });
  while (!caf::node_id::default_data::valid(host));
  return caf::make_node_id(static_cast<std::uint32_t>(::getpid()), host);
}

/// Does nothing but plant an id.
class identity_module final : public caf::actor_system::module {
public:
  explicit identity_module(caf::actor_system& system) : system_(system) {
    // nop
  }

  void init(caf::actor_system_config&) override {
    if (!system_.has_middleman())
      return;
    // The system's own member, which is not constant; nobody has read it yet.
    const_cast<caf::node_id&>(system_.node()) = draw_node_id();
  }

  void start() override {
    // nop
  }

  void stop() override {
    // nop
  }

  /// The place of a module that comes after the network's, and that CAF 0.17 does not ship.
  [[nodiscard]] id_t id() const override {
    return network_manager;
  }

  void* subtype_ptr() override {
    return this;
  }

private:
  caf::actor_system& system_;
};

} // namespace

void plant_node_identity(caf::actor_system_config& config) {
  // In front: a module of the application's in the same place replaces this one.
  config.module_factories.insert(config.module_factories.begin(),
                                 [](caf::actor_system& system) -> caf::actor_system::module* {
                                   return new identity_module{system};
                                 });
}

} // namespace mobula

#pragma once

#include <caf/actor_system_config.hpp>

#include "mobula/actors/caf/message_type.hpp"

namespace mobula {

/// Makes a type known, by the name `name`, to actor systems that run with `config`, so that it may
/// stand directly in messages to other nodes, as do types for which there is no `MOBULA_MESSAGE`:
/// an `ObjectRef<T>`, a `std::vector` of some type. All nodes must use the same name; fields of
/// other types need none. REQUIRES: no actor system runs with `config` yet; the name outlives it.
template <class T>
void add_message(caf::actor_system_config& config, const char* name) {
  config.add_message_type<T>(name);
}

/// The same for types with a `MOBULA_MESSAGE`, by the names that they have there.
template <class... Ts>
void add_messages(caf::actor_system_config& config) {
  (add_message<Ts>(config, mobula_name_of_message(static_cast<const Ts* const*>(nullptr))), ...);
}

} // namespace mobula

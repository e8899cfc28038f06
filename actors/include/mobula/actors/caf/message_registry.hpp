#pragma once

#include <type_traits>
#include <typeindex>
#include <typeinfo>

#include <caf/actor_system_config.hpp>
#include <caf/make_type_erased_value.hpp>

#include "mobula/actors/caf/message_type.hpp"

namespace mobula {

/// Makes a type known, by the name `name`, to actor systems that run with `config`, so that it may
/// stand directly in messages to other nodes, as do types for which there is no `MOBULA_MESSAGE`:
/// an `ObjectRef<T>`, a `std::vector` of some type. All nodes must use the same name; fields of
/// other types need none. REQUIRES: no actor system runs with `config` yet; the name outlives it.
template <class T>
void add_message(caf::actor_system_config& config, const char* name) {
  static_assert(std::is_default_constructible_v<T> && std::is_copy_constructible_v<T>,
                "a type in messages needs a default constructor and a copy constructor");
  // Not by CAF's `add_message_type`, which makes vectors and streams of it known too: those are two
  // thirds of what a compiler makes of it, and whoever sends one adds it by itself.
  config.type_names_by_rtti.emplace(typeid(T), name);
  config.value_factories_by_name.emplace(name, &caf::make_type_erased_value<T>);
  config.value_factories_by_rtti.emplace(typeid(T), &caf::make_type_erased_value<T>);
}

/// The same for types with a `MOBULA_MESSAGE`, by the names that they have there.
template <class... Ts>
void add_messages(caf::actor_system_config& config) {
  (add_message<Ts>(config, mobula_name_of_message(static_cast<const Ts* const*>(nullptr))), ...);
}

} // namespace mobula

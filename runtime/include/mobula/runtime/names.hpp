#pragma once

#include <set>
#include <string>
#include <string_view>

#include "mobula/object_ref.hpp"
#include "mobula/runtime/reading.hpp"

// What `node` does for names, without its templates. All of these block and throw `object_error`.

namespace mobula {

/// An actor and what it takes; the latter is empty for one without static type.
struct published_actor {
  caf::strong_actor_ptr handle;
  std::set<std::string> interface;
};

void publish_reference(node_core& core, const std::string& name, const ObjectRef<void>& ref);

void publish_actor(node_core& core, const std::string& name, const published_actor& actor);

void unpublish_name_of(node_core& core, const std::string& name);

/// `wanted`: the type that the object must have; empty stands for any.
[[nodiscard]] ObjectRef<void> lookup_reference(node_core& core, const std::string& name,
                                               std::string_view wanted, const wait_limit& limit);

/// `wanted`: what the actor must take.
[[nodiscard]] caf::strong_actor_ptr lookup_actor(node_core& core, const std::string& name,
                                                 const std::set<std::string>& wanted,
                                                 const wait_limit& limit);

} // namespace mobula

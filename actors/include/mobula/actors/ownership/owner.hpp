#pragma once

#include <memory>
#include <vector>

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/caf/typed_interface.hpp"
#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/objects/entry_stripe.hpp"

namespace mobula {

/// A node refers to these objects from now on, and did not before.
struct add_references {
  incarnation_id holder;
  std::vector<object_record> references;
};

/// These objects got their value, or the error in its place.
struct seal_objects {
  std::vector<object_record> objects;
};

/// A node refers to these objects no more. Shared, since CAF wants messages that can be copied;
/// only the receiver takes the tokens out.
struct remove_references {
  incarnation_id holder;
  std::shared_ptr<std::vector<release_token>> tokens;
};

/// The one source of truth for the life and the place of the objects that a node created.
using owner_actor =
  caf::typed_actor<takes<add_references>, takes<seal_objects>, takes<remove_references>,
                   takes<collect_stats>, takes<check_tables>, takes<shut_down>>;

class node_core;

/// Starts the owner of `core`'s objects.
owner_actor spawn_owner(node_core& core);

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::add_references)
MOBULA_LOCAL_MESSAGE(mobula::seal_objects)
MOBULA_LOCAL_MESSAGE(mobula::remove_references)

#pragma once

#include <memory>
#include <vector>

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/messages/service_interfaces.hpp"
#include "mobula/actors/objects/entry_stripe.hpp"

namespace mobula {

/// A node refers to these objects from now on, and did not before.
struct add_references {
  std::vector<object_record> references;
};

/// These objects got their value, or the error in its place.
struct seal_objects {
  std::vector<object_record> objects;
};

/// A node refers to these objects no more. Shared, since CAF wants messages that can be copied;
/// only the receiver takes the tokens out.
struct remove_references {
  std::shared_ptr<std::vector<release_token>> tokens;
};

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::add_references)
MOBULA_LOCAL_MESSAGE(mobula::seal_objects)
MOBULA_LOCAL_MESSAGE(mobula::remove_references)

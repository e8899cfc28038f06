#pragma once

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/serialization/ids.hpp"

namespace mobula {

/// How an incarnation, and an id that holds one, travel in CAF. Apart from the types, whose layer
/// knows nothing of CAF, and from the messages, since those about members and those about
/// references both have it.
MOBULA_MESSAGE(mobula::incarnation_id, high, low)
MOBULA_MESSAGE(mobula::object_id, owner, sequence)

} // namespace mobula

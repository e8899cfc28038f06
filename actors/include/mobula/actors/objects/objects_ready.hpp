#pragma once

#include "mobula/actors/caf/message_type.hpp"

namespace mobula {

/// Tells an actor that what it waits for is there; it looks at the objects itself.
struct objects_ready {};

MOBULA_MESSAGE(mobula::objects_ready)

} // namespace mobula

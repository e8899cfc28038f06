#pragma once

// What an application's own types need to be in messages between nodes: `MOBULA_MESSAGE`, which
// names their fields; `add_messages` and `add_message`, which make them known to an actor system;
// and `MOBULA_LOCAL_MESSAGE`, for those that stay within one.

#include "mobula/actors/caf/message_registry.hpp"
#include "mobula/actors/caf/message_type.hpp"

#pragma once

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/messages/service_interfaces.hpp"

namespace mobula {

/// Says that references came or went since the last time; many changes share one such message.
struct flush_references {};

MOBULA_MESSAGE(mobula::flush_references)

} // namespace mobula

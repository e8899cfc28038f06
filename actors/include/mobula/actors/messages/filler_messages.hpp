#pragma once

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/messages/service_interfaces.hpp"

namespace mobula {

/// The stock of faulted-in memory is low.
struct fill_stock {};

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::fill_stock)

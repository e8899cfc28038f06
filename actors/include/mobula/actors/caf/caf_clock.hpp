#pragma once

#include <caf/actor_clock.hpp>

#include "mobula/actors/caf/caf_version.hpp"

namespace mobula {

/// The clock of all timers: CAF's, which stands still in a simulation.
using caf_clock = caf::actor_clock::clock_type;

} // namespace mobula

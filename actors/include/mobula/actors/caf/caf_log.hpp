#pragma once

#include <string>

#include <caf/fwd.hpp>

#include "mobula/actors/caf/caf_version.hpp"

namespace mobula {

/// Writes a line to the log of the actor system that the calling thread works for, if it wants
/// lines of this level. Threads outside of CAF have no log.
void log_info(const std::string& line);
void log_warning(const std::string& line);

/// The same from any thread, for what is said of `system`.
void log_warning(caf::actor_system& system, const std::string& line);

} // namespace mobula

// Lines for CAF's log.

#include "mobula/actors/caf/caf_log.hpp"

#include <caf/actor_system.hpp>
#include <caf/logger.hpp>

namespace mobula {

void log_info(const std::string& line) {
  CAF_LOG_IMPL("mobula", CAF_LOG_LEVEL_INFO, line);
}

void log_warning(const std::string& line) {
  CAF_LOG_IMPL("mobula", CAF_LOG_LEVEL_WARNING, line);
}

void log_warning(caf::actor_system& system, const std::string& line) {
  auto* before = caf::logger::current_logger();
  caf::logger::set_current_actor_system(&system);
  log_warning(line);
  // A thread of the system itself has its log already; there is no way to set another one back.
  if (before == nullptr)
    caf::logger::set_current_actor_system(nullptr);
}

} // namespace mobula

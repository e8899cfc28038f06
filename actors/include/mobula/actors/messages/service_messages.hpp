#pragma once

#include <memory>

#include "mobula/actors/caf/message_type.hpp"

namespace mobula {

class stats_request;

/// Asks a service to add its figures and to pass the request on. It travels the way that reference
/// changes take, so that the figures include everything that the asking thread did before.
struct collect_stats {
  std::shared_ptr<stats_request> request;
};

/// Asks a service to recompute the sums of its tables and to abort the process if one is wrong. For
/// tests; sent to each service.
struct check_tables {};

MOBULA_MESSAGE(mobula::check_tables)

/// Asks a service to finish what it has and to stop; passed on like `collect_stats`.
struct shut_down {};

MOBULA_MESSAGE(mobula::shut_down)

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::collect_stats)

#pragma once

#include <optional>

#include "mobula/actors/time/time_span.hpp"

namespace mobula {

/// How long a caller waits, as any duration: nothing, and what is beyond the end of time
/// (`nanoseconds::max()`, `hours::max()`), mean "as long as it takes", zero means "not at all".
/// Measured by the actor system's clock.
using wait_limit = std::optional<time_span>;

} // namespace mobula

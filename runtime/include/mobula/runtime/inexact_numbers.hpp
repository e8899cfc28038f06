#pragma once

#include <caf/error.hpp>
#include <caf/execution_unit.hpp>
#include <caf/message.hpp>

namespace mobula::testing {

/// Looks for floating-point numbers that CAF 0.17 cannot bring to another node as they are:
/// infinities, on which it never ends, and NaN, -0.0 and subnormal numbers, which arrive as others.
/// Returns an error that names the first, and what to do; nothing if there is none. Nothing is
/// written, and no reference leaves its node.
[[nodiscard]] caf::error find_inexact_number(caf::execution_unit& context,
                                             const caf::message& content);

} // namespace mobula::testing

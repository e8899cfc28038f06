#pragma once

#include <string_view>

#include <caf/config_option.hpp>

namespace mobula::internal {

/// Returns an option of the group `mobula` that takes a time with a unit, such as `5s`. What is
/// longer than nanoseconds can say is the longest time, which means "as long as it takes"; CAF's
/// own parser wraps around there.
[[nodiscard]] caf::config_option time_option(std::string_view name, std::string_view description);

} // namespace mobula::internal

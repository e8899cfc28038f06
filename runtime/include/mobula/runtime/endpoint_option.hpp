#pragma once

#include <string_view>

#include "mobula/store/port/endpoint.hpp"

namespace mobula {

/// Reads `ADDRESS:PORT`, `[ADDRESS]:PORT` or `:PORT`. Throws `object_error` (`invalid_argument`)
/// that names `option`, which is written as users write it (`mobula.listen`, `--node`). Any thread.
[[nodiscard]] endpoint parse_endpoint(std::string_view option, std::string_view text);

} // namespace mobula

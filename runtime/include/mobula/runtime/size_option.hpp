#pragma once

#include <cstdint>
#include <string_view>

#include <caf/config_option.hpp>

namespace mobula::internal {

/// Returns an option of the group `mobula` that takes a size: a text such as `64MiB`, or in a file
/// also a plain number of bytes. What the text says is looked at by `parse_size`.
[[nodiscard]] caf::config_option size_option(std::string_view name, std::string_view description);

/// Does what `mobula::parse_size` says.
[[nodiscard]] std::uint64_t read_size(std::string_view option, std::string_view text);

} // namespace mobula::internal

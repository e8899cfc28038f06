#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "mobula/serialization/ids.hpp"

/// What the files that carry an incarnation in their name have in common.

namespace mobula {

/// Returns `mobula-<cluster>-<incarnation>`.
[[nodiscard]] std::string holder_name(std::string_view cluster, const incarnation_id& incarnation);

/// Returns whether this is `mobula-<cluster>-<incarnation>`.
[[nodiscard]] bool names_holder(std::string_view text);

/// Returns whether the open file is still the one that its path names.
[[nodiscard]] bool is_current(int descriptor, const std::filesystem::path& path);

} // namespace mobula

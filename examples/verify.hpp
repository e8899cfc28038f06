#pragma once

#include <optional>
#include <string>

#include "messages.hpp"

namespace text_index {

/// Indexes `source` once more with the simplest code there is, in one thread, without actors or
/// objects, and compares. Returns the first difference, in the order of the words, if any.
std::optional<std::string>
first_difference(mobula::node& node, const std::vector<index_ref>& partitions, text_source& source);

} // namespace text_index

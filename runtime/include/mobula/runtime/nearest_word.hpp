#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mobula::internal {

/// Returns how many letters must be changed, added, left out or exchanged with their neighbours for
/// one word to become the other.
[[nodiscard]] std::size_t typing_errors(std::string_view typed, std::string_view meant);

/// Returns which of the known words somebody meant who typed another: the one with the fewest
/// typing errors, the first of equals. Returns nothing if none is like it: more than a third of the
/// letters are then wrong. A known word that begins with the typed one is like it.
[[nodiscard]] std::optional<std::string> nearest_word(std::string_view typed,
                                                      const std::vector<std::string>& known);

/// Returns `; did you mean "size"?`, or nothing if no known word is like the typed one: what an
/// error text about an unknown word ends in.
[[nodiscard]] std::string did_you_mean(std::string_view typed,
                                       const std::vector<std::string>& known);

} // namespace mobula::internal

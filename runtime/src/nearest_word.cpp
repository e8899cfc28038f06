// Guesses which known word somebody meant who typed another one: that with the fewest typing
// errors, as long as there are few.

#include "mobula/runtime/nearest_word.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace mobula::internal {

// The distance of optimal string alignment: a row of the usual table for each letter typed, of
// which the last three are kept.
std::size_t typing_errors(std::string_view typed, std::string_view meant) {
  std::vector<std::size_t> before_last;
  std::vector<std::size_t> last(meant.size() + 1);
  std::vector<std::size_t> row(meant.size() + 1);
  for (std::size_t column = 0; column <= meant.size(); ++column)
    row[column] = column;
  for (std::size_t line = 1; line <= typed.size(); ++line) {
    before_last = std::exchange(last, row);
    row[0] = line;
    for (std::size_t column = 1; column <= meant.size(); ++column) {
      auto differ = typed[line - 1] != meant[column - 1] ? std::size_t{1} : std::size_t{0};
      row[column] = std::min({last[column] + 1, row[column - 1] + 1, last[column - 1] + differ});
      if (line > 1 && column > 1 && typed[line - 1] == meant[column - 2]
          && typed[line - 2] == meant[column - 1])
        row[column] = std::min(row[column], before_last[column - 2] + 1);
    }
  }
  return row.back();
}

std::optional<std::string> nearest_word(std::string_view typed,
                                        const std::vector<std::string>& known) {
  std::optional<std::string> result;
  std::size_t fewest = 0;
  for (const auto& word : known) {
    auto errors = typing_errors(typed, word);
    auto bearable = (std::max(typed.size(), word.size()) + 2) / 3;
    auto begins = typed.size() > 1 && word.starts_with(typed);
    if ((errors <= bearable || begins) && errors < word.size() && (!result || errors < fewest)) {
      result = word;
      fewest = errors;
    }
  }
  return result;
}

std::string did_you_mean(std::string_view typed, const std::vector<std::string>& known) {
  auto word = nearest_word(typed, known);
  return word ? fmt::format("; did you mean \"{}\"?", *word) : "";
}

} // namespace mobula::internal

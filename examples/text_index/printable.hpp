#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace text_index {

/// Makes text from anywhere fit for a terminal: at most `max_columns` characters, control
/// characters become blanks and invalid UTF-8 question marks, blanks around it go.
std::string printable(std::string_view text, std::size_t max_columns);

/// Returns a number with a comma after each three digits.
std::string grouped(std::uint64_t number);

/// Returns a number with what it counts: `1 file`, `1,234 files`. `one` stands for a single one.
std::string counted(std::uint64_t number, std::string_view one, std::string_view many);

/// Returns a number of bytes with a fitting unit, such as `12.3 MB`.
std::string size_text(double bytes);

} // namespace text_index

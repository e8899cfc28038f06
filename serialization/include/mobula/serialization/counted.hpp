#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mobula {

/// Returns a count and what is counted, for people: "1 byte", "2 bytes". `noun` is in the singular,
/// and takes an s in the plural. Any thread.
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view noun);

/// The same for other plurals, and for words that go with them: "1 value is", "2 values are".
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view one, std::string_view many);

} // namespace mobula

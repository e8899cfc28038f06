// Counts with their nouns, as messages and reports have them.

#include "mobula/serialization/counted.hpp"

#include <fmt/format.h>

namespace mobula {

std::string counted(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

} // namespace mobula

// Texts for what membership messages hold: addresses, and why a member is gone.

#include "mobula/actors/member_messages.hpp"

#include <fmt/format.h>

#include "mobula/actors/member_effects.hpp"
#include "mobula/store/assertion.hpp"

namespace mobula {

std::string to_string(const endpoint& where) {
  if (where.address.find(':') != std::string::npos)
    return fmt::format("[{}]:{}", where.address, where.port);
  return fmt::format("{}:{}", where.address, where.port);
}

std::string_view to_string(departure why) noexcept {
  switch (why) {
    case departure::left:
      return "left";
    case departure::connection_lost:
      return "connection lost";
    case departure::node_ended:
      return "node ended";
    case departure::replaced:
      return "replaced";
  }
  MOBULA_ASSERT(!"unknown departure");
}

} // namespace mobula

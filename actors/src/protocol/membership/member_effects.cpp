// The words for why a member is gone.

#include "mobula/actors/protocol/membership/member_effects.hpp"

#include "mobula/store/system/assertion.hpp"

namespace mobula {

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

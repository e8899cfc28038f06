#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <variant>

#include "member_world.hpp"

namespace mobula::test {

/// Two nodes at ports 1 and 2 that have not met.
struct two_strangers : member_world {
  two_strangers() {
    start(100, 1);
    start(101, 2);
  }

  /// How a join of the second node through the first ends.
  std::string join_result(std::uint16_t port = 1) {
    auto number = join(1, port);
    settle();
    return nodes[1].joins.at(number);
  }
};

struct three_members : member_world {
  three_members() {
    start_cluster(3);
  }
};

struct two_members : member_world {
  explicit two_members(dialing how = dialing::shares_links) : member_world(how) {
    start_cluster(2);
  }
};

/// Returns the first effect of one kind. REQUIRES: there is one.
template <class Effect>
const Effect& first_of(const member_effects& effects) {
  auto found = std::ranges::find_if(
    effects, [](const auto& effect) { return std::holds_alternative<Effect>(effect); });
  REQUIRE(found != effects.end());
  return std::get<Effect>(*found);
}

inline bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace mobula::test

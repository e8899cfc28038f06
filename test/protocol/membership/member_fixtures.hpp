#pragma once

#include <algorithm>
#include <string>
#include <variant>

#include "../../contains.hpp"
#include "member_world.hpp"

namespace mobula::test {

/// A link of a node that is none of the world's, what that says it speaks, and who it says it is.
inline constexpr link_id stranger{90};
inline const dialect ours{"c", 1, "1"};

inline incarnation_id other() {
  return member_world::incarnation_number(200);
}

/// A record that can be.
inline node_record record_of_other() {
  node_record result;
  result.incarnation = other();
  result.name = "other:1";
  result.control = {{"host", 9}};
  return result;
}

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

} // namespace mobula::test

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "simulated_cluster.hpp"

namespace mobula::test {

/// A cluster without delays in which the first three nodes know all others.
class large_cluster : public simulated_cluster {
public:
  static constexpr place owner = 0;
  static constexpr place borrower = 1;
  static constexpr place second_borrower = 2;

  explicit large_cluster(std::size_t nodes) : simulated_cluster({.nodes = nodes}) {
    for (place one = 0; one < std::min<std::size_t>(nodes, 3); ++one)
      for (place other = one + 1; other < nodes; ++other)
        connect(one, other);
    settle();
  }

  /// Makes objects at the owner.
  std::vector<object_id> make_objects(std::size_t count) {
    std::vector<object_id> result;
    for (std::size_t i = 0; i < count; ++i)
      result.push_back(node(owner).create({}));
    return result;
  }
};

/// Messages from the first reference of a borrower to its last.
inline std::uint64_t messages_a_borrow(std::size_t nodes) {
  large_cluster cluster{nodes};
  cluster.send(large_cluster::owner, large_cluster::borrower, cluster.make_objects(1));
  cluster.settle();
  cluster.node(large_cluster::borrower).drop_all();
  cluster.settle();
  auto result = cluster.messages();
  cluster.finish();
  return result;
}

/// The same for a reference that is handed on by a borrower.
inline std::uint64_t messages_a_handed_on_borrow(std::size_t nodes) {
  large_cluster cluster{nodes};
  auto objects = cluster.make_objects(1);
  cluster.send(large_cluster::owner, large_cluster::borrower, objects);
  cluster.settle();
  auto before = cluster.messages();
  cluster.send(large_cluster::borrower, large_cluster::second_borrower, objects);
  cluster.settle();
  cluster.node(large_cluster::second_borrower).drop_all();
  cluster.settle();
  auto result = cluster.messages() - before;
  cluster.finish();
  return result;
}

} // namespace mobula::test

#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "../temporary_directory.hpp"
#include "one_node.hpp"

namespace mobula {

inline constexpr std::size_t heap_limit = 256 * 1024;

using text_ref = ObjectRef<std::string>;

/// A node with space for some 16 values of 16 KB in the heap, and for some 64 in the store.
struct small_heap {
  testing::simulation sim;
  test::temporary_directory directory;
  mobula::node& node = sim.add_node(options());
  std::vector<text_ref> held;

  ~small_heap() {
    held.clear();
    sim.check_invariants();
    CHECK(sim.leftovers() == "");
  }

  node_options options() {
    auto result = sim.default_options();
    result.heap_limit_bytes = heap_limit;
    result.store_size_bytes = 1 << 20;
    result.shards = 1;
    result.spill_directories = {directory.path()};
    return result;
  }

  static std::string text(std::size_t index, std::size_t size = 16'000) {
    return std::string(size, static_cast<char>('a' + index % 26));
  }

  void put(std::size_t count, std::size_t size = 16'000) {
    for (; count > 0; --count)
      held.push_back(node.put(text(held.size(), size)));
    sim.run();
  }

  /// Returns whether each value is what was put.
  bool intact(std::size_t size = 16'000) {
    for (std::size_t index = 0; index < held.size(); ++index)
      if (node.get(held[index]).copy() != text(index, size))
        return false;
    return true;
  }
};

/// The same without a directory to spill to.
struct no_disk : small_heap {
  mobula::node& other = sim.add_node([this] {
    auto result = options();
    result.spill_directories.clear();
    return result;
  }());
};

} // namespace mobula

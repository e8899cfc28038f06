// What a node keeps of memory when its objects are gone.

#include "one_node.hpp"

#include "mobula/actors/reports/process_memory.hpp"

using namespace mobula;

namespace {

/// In steps, so that what is told of them comes in batches of a usual size.
void come_and_go(testing::simulation& sim, node& node, int count) {
  constexpr int step = 1'000;
  std::vector<ObjectRef<int>> refs;
  for (int value = 0; value < count; ++value) {
    refs.push_back(node.put(value));
    if (value % step == 0)
      sim.run();
  }
  sim.run();
  while (!refs.empty()) {
    refs.resize(refs.size() - std::min<std::size_t>(refs.size(), step));
    sim.run();
  }
}

} // namespace

TEST_CASE_FIXTURE(one_node, "a node keeps no memory for objects that came and went") {
  // With another allocator than the C library's, nothing is known, and both are 0.
  come_and_go(sim, node, 1'000);
  auto before = look_at_process_memory().allocated_bytes;
  come_and_go(sim, node, 200'000);
  REQUIRE(node.stats().owned.objects == 0);
  // The owner's records of so many objects are 8 MiB.
  CHECK(look_at_process_memory().allocated_bytes < before + (4U << 20U));
}

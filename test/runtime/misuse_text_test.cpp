// What objects say that are used in a state in which they are of no use: moved from, without a
// value, sealed in vain, of another simulation.

#include <utility>
#include <vector>

#include "one_node.hpp"

using namespace mobula;

TEST_CASE("a simulation refuses nodes of another one") {
  testing::simulation one;
  testing::simulation two;
  auto& mine = one.add_node();
  auto& theirs = two.add_node();
  CHECK(error_of([&] { one.remove_node(theirs); }) == error_type::invalid_argument);
  CHECK(error_of([&] { one.crash(theirs); }) == error_type::invalid_argument);
  CHECK(error_of([&] { one.connect(mine, theirs); }) == error_type::invalid_argument);
}

TEST_CASE_FIXTURE(one_node, "a view that was moved from says so") {
  auto ref = node.put(1);
  auto seen = node.get(ref);
  auto taken = std::move(seen);
  CHECK(message_of([&] { static_cast<void>(*seen); }).find("moved from") != std::string::npos);
  CHECK(error_of([&] { static_cast<void>(seen.raw_bytes()); }) == error_type::invalid_reference);
  CHECK(seen.get() == nullptr);
  CHECK(*taken == 1);
  auto later = node.get(node.put(2));
  taken = std::move(later);
  CHECK(later.get() == nullptr);
  CHECK(*taken == 2);
}

TEST_CASE_FIXTURE(one_node, "an outcome without a value throws why it has none") {
  CHECK(error_of([] { static_cast<void>(*outcome<int>{}); }) == error_type::get_timed_out);
  outcome<int> lost{error_info{.type = error_type::object_lost, .message = "lost"}};
  CHECK(error_of([&] { static_cast<void>(lost.value()); }) == error_type::object_lost);
  CHECK(error_of([] { static_cast<void>(outcome<int>{}.error()); })
        == error_type::invalid_argument);
}

TEST_CASE_FIXTURE(one_node, "a promise is not set to an exception where there is none") {
  auto open = node.make_promise<int>();
  CHECK(error_of([&] { open.set_current_exception(); }) == error_type::invalid_argument);
  open.set_value(1);
}

TEST_CASE("a builder that could not be sealed says so when it is sealed again") {
  testing::simulation sim;
  auto options = sim.default_options();
  options.store_size_bytes = 1 << 20;
  options.shards = 1;
  auto& node = sim.add_node(options);
  std::vector<view<bytes>> held;
  while (node.stats().lent_bytes + node.stats().reserved_bytes < 1 << 20 && held.size() < 8)
    held.push_back(node.get(node.create<bytes>(110'000).seal()));
  auto builder = node.create<bytes>(600'000);
  CHECK(error_of([&] { static_cast<void>(builder.seal()); }) == error_type::store_full);
  CHECK(error_of([&] { static_cast<void>(builder.seal()); }) == error_type::invalid_argument);
  CHECK(error_of([&] { static_cast<void>(builder.elements()); }) == error_type::invalid_argument);
}

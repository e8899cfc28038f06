#include <mobula/mobula.hpp>
#include <mobula/testing.hpp>

#include <doctest/doctest.h>

using namespace mobula;
using namespace std::literals;

TEST_CASE("a value that is put can be read") {
  testing::simulation sim;
  auto& node = sim.add_node();
  {
    auto number = node.put(42);
    auto text = node.put("hello");
    CHECK(*node.get(number) == 42);
    CHECK(*node.get(text) == "hello");
  }
  CHECK(sim.leftovers() == "");
}

TEST_CASE("a large value that is put can be read") {
  testing::simulation sim;
  auto& node = sim.add_node();
  {
    auto text = node.put(std::string(200'000, 'x'));
    sim.run();
    CHECK(node.get(text)->size() == 200'000);
    CHECK(node.stats().stored == object_count{1, 200'000});
  }
  CHECK(sim.leftovers() == "");
}

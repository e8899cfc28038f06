// The application's actors under the test coordinator, over texts that are made up, in orders that
// seeds choose.

#include "pipeline.hpp"

#include <doctest/doctest.h>

#include <mobula/testing.hpp>

#include "query.hpp"
#include "verify.hpp"

using namespace text_index;

namespace {

/// Texts that depend on a seed; some are larger than the inline limit, some files cannot be read.
class made_up_source : public text_source {
public:
  explicit made_up_source(std::uint64_t seed) : random_(seed) {
    // nop
  }

  std::optional<item> next() override {
    if (files_ == 40)
      return std::nullopt;
    auto name = "file" + std::to_string(files_++);
    if (files_ % 10 == 0)
      return skipped_file{name, "made up"};
    std::string content;
    for (auto words = random_() % 400; words > 0; --words)
      content += "word" + std::to_string(random_() % 50) + ' ';
    return source_file{name, std::move(content)};
  }

private:
  std::mt19937_64 random_;
  std::size_t files_ = 0;
};

void run_pipeline(mobula::testing::simulation& sim, mobula::node_options options) {
  options.inline_limit_bytes = 500;
  auto& node = sim.add_node(options);
  auto seed = sim.random()();
  built_index built;
  bool done = false;
  auto reading = sim.system().spawn(reader, &node, std::make_shared<made_up_source>(seed),
                                    batch_limits{.files = 3, .bytes = 2000});
  auto building = spawn_pipeline(node, reading, {.indexers = 3, .partitions = 2, .limits = {}});
  sim.system().spawn([&, building](caf::event_based_actor* self) {
    self->request(building, caf::infinite, build_index{}).then([&](built_index& index) {
      built = std::move(index);
      done = true;
    });
  });
  reading = nullptr;
  building = nullptr;
  sim.run_randomly();
  REQUIRE(done);
  CHECK(built.total.files == 36);
  CHECK(built.skipped.size() == 4);
  made_up_source again{seed};
  auto difference = first_difference(node, built.partitions, again);
  CHECK_MESSAGE(!difference, difference.value_or(""));
}

} // namespace

TEST_CASE("the index is right and nothing is left, in any order of messages") {
  mobula::testing::for_each_seed(
    1, 100, [](mobula::testing::simulation& sim) { run_pipeline(sim, sim.default_options()); });
}

// The application's actors under the test coordinator, over texts that are made up, in orders that
// seeds choose.

#include "pipeline.hpp"

#include <caf/event_based_actor.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <set>
#include <utility>

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

/// Indexes what a source with this seed makes up, which leaves no actors.
built_index build(mobula::testing::simulation& sim, mobula::node& node, std::uint64_t seed) {
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
  return built;
}

mobula::node& add_node(mobula::testing::simulation& sim) {
  auto options = sim.default_options();
  options.inline_limit_bytes = 500;
  return sim.add_node(options);
}

/// Fails so often as if a node were lost, before it has another one index.
indexer_actor::behavior_type late_indexer(indexer_actor::pointer self, const indexer_actor& able,
                                          int failures) {
  self->link_to(able);
  return {[=](index_batch& task) mutable -> caf::result<batch_indexed> {
    if (failures-- > 0)
      return mobula::to_caf_error({.type = mobula::error_type::owner_died, .message = "made up"});
    return self->delegate(able, std::move(task));
  }};
}

/// Has 8 indexers build that fail so often each. Returns nothing if that is given up.
std::optional<built_index> build_late(mobula::testing::simulation& sim, mobula::node& node,
                                      int failures) {
  std::optional<built_index> built;
  auto ended = false;
  auto workers = spawn_workers(node, {.indexers = 8, .partitions = 2, .limits = {}});
  for (auto& each : workers.indexers)
    each = sim.system().spawn(late_indexer, each, failures);
  workers.reader = sim.system().spawn(reader, &node, std::make_shared<made_up_source>(7),
                                      batch_limits{.files = 3, .bytes = 2000});
  auto building = sim.system().spawn(builder, std::move(workers), std::size_t{2});
  sim.system().spawn([&, building](caf::event_based_actor* self) {
    self->request(building, caf::infinite, build_index{})
      .then(
        [&](built_index& index) {
          built = std::move(index);
          ended = true;
        },
        [&](caf::error&) { ended = true; });
  });
  building = nullptr;
  sim.run();
  for (auto pauses = 0; !ended && pauses < 2000; ++pauses) {
    sim.advance(std::chrono::milliseconds{100});
    sim.run();
  }
  CHECK(ended);
  return built;
}

std::uint64_t fingerprint_of(mobula::testing::simulation& sim, std::uint64_t seed) {
  auto& node = add_node(sim);
  return index_query{node, build(sim, node, seed).partitions}.fingerprint();
}

} // namespace

TEST_CASE("the index is right and nothing is left, in any order of messages") {
  mobula::testing::for_each_seed(1, 100, [](mobula::testing::simulation& sim) {
    auto& node = add_node(sim);
    auto seed = sim.random()();
    auto built = build(sim, node, seed);
    CHECK(built.total.files == 36);
    CHECK(built.skipped.size() == 4);
    made_up_source again{seed};
    auto difference = first_difference(node, built.partitions, again);
    CHECK_MESSAGE(!difference, difference.value_or(""));
  });
}

TEST_CASE("a fingerprint depends on the texts, and not on the order of messages") {
  std::set<std::uint64_t> found;
  mobula::testing::for_each_seed(
    1, 20, [&](mobula::testing::simulation& sim) { found.insert(fingerprint_of(sim, 7)); });
  CHECK(found.size() == 1);
  mobula::testing::for_each_seed(
    1, 1, [&](mobula::testing::simulation& sim) { found.insert(fingerprint_of(sim, 8)); });
  CHECK(found.size() == 2);
}

TEST_CASE("workers that fail together get as much time as one of them") {
  for (auto failures : {300, 1001}) {
    mobula::testing::simulation sim;
    auto built = build_late(sim, add_node(sim), failures);
    CHECK(built.has_value() == (failures == 300));
    if (built)
      CHECK(built->total.files == 36);
  }
}

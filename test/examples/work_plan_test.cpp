// What is indexed, merged and done again, without actors and objects.

#include "work_plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace text_index;

namespace {

constexpr std::size_t partitions = 2;
constexpr team_number away{1};
constexpr team_number third{2};

/// Two partitions, two indexes to a merge.
struct small_plan : work_plan {
  small_plan() : work_plan(partitions, 2) {
    // nop
  }

  void add(std::size_t batches) {
    for (; batches > 0; --batches)
      add_batch({});
    close();
  }

  /// Indexes the next batch.
  void index_by(team_number team) {
    auto task = next_index(team);
    REQUIRE(task);
    CHECK(indexed(task->number, std::vector<index_ref>(task->partitions.size())));
  }

  void merge_by(team_number team) {
    auto task = next_merge(team);
    REQUIRE(task);
    CHECK(merged(task->number, {}));
  }
};

} // namespace

TEST_CASE_FIXTURE(small_plan, "a plan without batches is done at once") {
  CHECK(!done());
  add(0);
  CHECK(done());
}

TEST_CASE_FIXTURE(small_plan, "each partition ends as one index at home") {
  add(3);
  for (int batch = 0; batch < 3; ++batch)
    index_by(home_team);
  for (int merge = 0; merge < 4; ++merge)
    merge_by(home_team);
  CHECK(done());
  CHECK(take().size() == partitions);
}

TEST_CASE_FIXTURE(small_plan, "the last merge is not given away") {
  add(1);
  index_by(away);
  CHECK(!next_merge(away));
  CHECK(!done());
  for (std::size_t partition = 0; partition < partitions; ++partition)
    merge_by(home_team);
  CHECK(done());
}

TEST_CASE_FIXTURE(small_plan, "what a lost node was indexing is given to another") {
  add(1);
  auto task = next_index(away);
  auto loss = lose(away);
  CHECK(loss.tasks == 1);
  CHECK(loss.indexes == 0);
  CHECK(!indexed(task->number, std::vector<index_ref>(partitions)));
  index_by(home_team);
  CHECK(done());
}

TEST_CASE_FIXTURE(small_plan, "the indexes of a lost node are made again from their texts") {
  add(2);
  index_by(away);
  index_by(home_team);
  auto loss = lose(away);
  CHECK(loss.indexes == partitions);
  CHECK(loss.batches == 1);
  auto again = next_index(home_team);
  REQUIRE(again);
  CHECK(again->batch == 0);
  CHECK(again->partitions == std::vector<partition_number>{0, 1});
}

TEST_CASE_FIXTURE(small_plan, "a lost sum is made again for its partition only") {
  add(2);
  index_by(home_team);
  index_by(home_team);
  merge_by(away);
  CHECK(lose(away).batches == 2);
  for (int batch = 0; batch < 2; ++batch) {
    auto again = next_index(home_team);
    REQUIRE(again);
    CHECK(again->partitions == std::vector<partition_number>{0});
  }
}

TEST_CASE_FIXTURE(small_plan, "a merge whose parts are lost meanwhile can still be done") {
  add(2);
  index_by(away);
  index_by(third);
  auto task = next_merge(third);
  lose(away);
  CHECK(merged(task->number, {}));
}

TEST_CASE_FIXTURE(small_plan, "a merge that could not read lost parts has them made again") {
  add(2);
  index_by(away);
  index_by(third);
  auto task = next_merge(third);
  lose(away);
  auto before = indexing();
  put_back(task->number);
  CHECK(indexing() == before + 1);
}

TEST_CASE_FIXTURE(small_plan, "a task that could not be done is given to another") {
  add(1);
  auto task = next_index(away);
  put_back(task->number);
  auto again = next_index(third);
  REQUIRE(again);
  CHECK(again->batch == task->batch);
}

TEST_CASE("whatever nodes are lost, each batch is in each partition once") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    work_plan plan{3, 3};
    std::size_t teams = 1;
    std::vector<std::pair<team_number, index_task>> indexing;
    std::vector<std::pair<team_number, merge_task>> merging;
    std::vector<team_number> alive{home_team};
    std::size_t batches = random() % 30;
    auto any_of = [&](auto& list) {
      auto position = list.begin() + static_cast<std::ptrdiff_t>(random() % list.size());
      auto result = std::move(*position);
      list.erase(position);
      return result;
    };
    for (std::size_t added = 0; !plan.done();) {
      auto team = alive[random() % alive.size()];
      switch (random() % 8) {
        case 0:
          if (added++ < batches)
            plan.add_batch({});
          else
            plan.close();
          break;
        case 1:
          if (teams < 6)
            alive.push_back(team_number{teams++});
          break;
        case 2:
          if (team != home_team && random() % 4 == 0) {
            std::erase(alive, team);
            static_cast<void>(plan.lose(team));
          }
          break;
        case 3:
          if (auto task = plan.next_index(team))
            indexing.emplace_back(team, std::move(*task));
          break;
        case 4:
          if (auto task = plan.next_merge(team))
            merging.emplace_back(team, std::move(*task));
          break;
        case 5:
        case 6:
          if (!indexing.empty()) {
            auto [by, task] = any_of(indexing);
            auto counts = plan.indexed(task.number, std::vector<index_ref>(task.partitions.size()));
            CHECK(counts == (std::ranges::find(alive, by) != alive.end()));
          }
          [[fallthrough]];
        default:
          if (!merging.empty()) {
            auto [by, task] = any_of(merging);
            if (random() % 4 == 0)
              plan.put_back(task.number);
            else
              plan.merged(task.number, {});
          }
      }
      plan.check_invariants();
    }
    CHECK(plan.take().size() == (batches == 0 ? 0 : 3));
  }
}

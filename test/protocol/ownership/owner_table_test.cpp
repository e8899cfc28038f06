// What the owner knows of an object, from the first reference it hears of to the last.

#include "mobula/actors/protocol/ownership/owner_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

using namespace mobula;

namespace {

constexpr object_record small{
  .sequence = 16, .size_bytes = 64, .place = object_place::inline_value};
constexpr object_record large{.sequence = 32, .size_bytes = 1 << 20, .place = object_place::stored};
constexpr object_record pending{.sequence = 48, .size_bytes = 0, .place = object_place::pending};

owner_figures figures_of(const owner_table& table) {
  owner_figures figures;
  table.add_figures(figures);
  return figures;
}

/// Returns whether all is zero that does not count what has been.
bool nothing_left(const owner_figures& figures) {
  return figures.owned == object_count{} && figures.pending_objects == 0
         && figures.inline_values == object_count{} && figures.failed_objects == 0
         && figures.stored == object_count{} && figures.references == 0;
}

} // namespace

TEST_CASE("the owner knows an object from its first reference to its last") {
  owner_table table;
  table.add_reference(small);
  CHECK(table.contains(small.sequence));
  CHECK(table.remove_reference(small.sequence) == owner_table::effect::release_value);
  CHECK_FALSE(table.contains(small.sequence));
}

TEST_CASE("a stored object that goes out of scope has its copy released") {
  owner_table table;
  table.add_reference(large);
  CHECK(table.remove_reference(large.sequence) == owner_table::effect::release_copy);
}

TEST_CASE("a pending object takes the place that its seal names") {
  owner_table table;
  table.add_reference(pending);
  CHECK(figures_of(table).pending_objects == 1);
  auto sealed = pending;
  sealed.place = object_place::stored;
  sealed.size_bytes = 200'000;
  table.object_sealed(sealed);
  CHECK(figures_of(table).pending_objects == 0);
  CHECK(figures_of(table).stored == object_count{1, 200'000});
}

TEST_CASE("a seal that the announcement already told of changes nothing") {
  owner_table table;
  table.add_reference(small);
  table.object_sealed(small);
  CHECK(figures_of(table).inline_values == object_count{1, 64});
}

TEST_CASE("a value that left the process heap counts as stored, and its copy is released") {
  owner_table table;
  table.add_reference(small);
  auto moved = small;
  moved.place = object_place::stored;
  table.object_sealed(moved);
  CHECK(figures_of(table).inline_values == object_count{});
  CHECK(figures_of(table).stored == object_count{1, 64});
  // A seal that comes late changes nothing any more.
  table.object_sealed(small);
  CHECK(table.remove_reference(small.sequence) == owner_table::effect::release_copy);
}

TEST_CASE("a seal that comes after an announcement of another place changes nothing") {
  owner_table table;
  table.add_reference(large);
  auto late = small;
  late.sequence = large.sequence;
  table.object_sealed(late);
  CHECK(figures_of(table).stored == object_count{1, 1 << 20});
  CHECK(figures_of(table).inline_values == object_count{});
}

TEST_CASE("only a value in the process heap moves into the store") {
  for (auto place : {object_place::stored, object_place::failed}) {
    owner_table table;
    auto known = large;
    known.place = place;
    table.add_reference(known);
    auto before = figures_of(table);
    auto late = known;
    late.place = object_place::stored;
    late.size_bytes = 5;
    table.object_sealed(late);
    CHECK(figures_of(table).stored == before.stored);
    CHECK(figures_of(table).failed_objects == before.failed_objects);
  }
}

TEST_CASE("a value in the process heap that is sealed anew there stays as it was") {
  owner_table table;
  table.add_reference(small);
  auto late = small;
  late.size_bytes = 65;
  table.object_sealed(late);
  CHECK(figures_of(table).inline_values == object_count{1, 64});
}

TEST_CASE("what a node owns is the sum over all places") {
  owner_table table;
  table.add_reference(small);
  table.add_reference(large);
  table.add_reference(pending);
  CHECK(figures_of(table).owned == object_count{3, (1 << 20) + 64});
}

TEST_CASE("an object without a copy has no copy to release") {
  owner_table table;
  auto failed = small;
  failed.place = object_place::failed;
  for (const auto& object : {pending, failed}) {
    table.add_reference(object);
    CHECK(table.remove_reference(object.sequence) == owner_table::effect::release_value);
  }
}

TEST_CASE("the owner's figures tell what came and went, and add to those of others") {
  owner_table table;
  auto failed = small;
  failed.place = object_place::failed;
  table.add_reference(failed);
  table.add_reference(large);
  table.remove_reference(failed.sequence);
  table.add_reference(failed);
  owner_figures figures;
  table.add_figures(figures);
  table.add_figures(figures);
  CHECK(figures.failed_objects == 2);
  CHECK(figures.stored == object_count{2, 2 << 20});
  CHECK(figures.references_added == 6);
  CHECK(figures.references_removed == 2);
}

TEST_CASE("the owner learns with the seal that a value refers to others") {
  owner_table table;
  table.add_reference(pending);
  auto sealed = small;
  sealed.sequence = pending.sequence;
  sealed.content = object_content::references;
  table.object_sealed(sealed);
  CHECK(table.find(pending.sequence)->content == object_content::references);
  CHECK_FALSE(table.find(small.sequence).has_value());
}

TEST_CASE("a seal does not make an object younger") {
  owner_table table;
  auto added = pending;
  added.reported_at_s = 5;
  table.add_reference(added);
  auto sealed = small;
  sealed.sequence = pending.sequence;
  sealed.reported_at_s = 9;
  table.object_sealed(sealed);
  CHECK(table.find(pending.sequence)->reported_at_s == 5);
}

TEST_CASE("a late seal of a forgotten object changes nothing") {
  owner_table table;
  table.object_sealed(small);
  CHECK(nothing_left(figures_of(table)));
}

TEST_CASE("the removal of an unknown reference releases nothing") {
  owner_table table;
  CHECK(table.remove_reference(7) == owner_table::effect::nothing);
}

TEST_CASE("the owner's sums are exact after any sequence of events") {
  std::mt19937_64 random{1};
  owner_table table;
  std::vector<object_record> known;
  std::uint64_t next = 16;
  for (int step = 0; step < 20'000; ++step) {
    auto choice = random() % 3;
    if (choice == 0 || known.empty()) {
      object_record added{.sequence = next += 1 + random() % 40,
                          .size_bytes = random() % 1000,
                          .place = static_cast<object_place>(random() % 4)};
      table.add_reference(added);
      known.push_back(added);
    } else if (choice == 1) {
      auto sealed = known[random() % known.size()];
      sealed.place = object_place::inline_value;
      table.object_sealed(sealed);
    } else {
      std::swap(known[random() % known.size()], known.back());
      table.remove_reference(known.back().sequence);
      known.pop_back();
    }
    if (step % 100 == 0)
      table.check_invariants();
  }
  for (const auto& left : known)
    table.remove_reference(left.sequence);
  table.check_invariants();
  CHECK(table.size() == 0);
  CHECK(nothing_left(figures_of(table)));
}

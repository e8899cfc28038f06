#include "mobula/actors/entry_stripe.hpp"

#include <doctest/doctest.h>

#include <cereal/types/vector.hpp>
#include <mobula/testing.hpp>

using namespace mobula;

namespace {

struct folder {
  std::vector<ObjectRef<int>> files;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(files);
  }
};

/// A node whose services do not run unless told to, so that its stripe can be looked at.
struct idle_node {
  testing::simulation sim;
  mobula::node& node = sim.add_node();
  entry_stripe& stripe = node.core().local_stripe();

  idle_node() {
    sim.run();
  }

  /// The services were never told what a test took: they must not hear of its end either.
  ~idle_node() {
    static_cast<void>(take());
  }

  reference_changes take() {
    reference_changes changes;
    stripe.take(changes);
    return changes;
  }
};

} // namespace

TEST_CASE_FIXTURE(idle_node, "a new entry is announced once") {
  auto ref = node.put(1);
  auto changes = take();
  REQUIRE(changes.added.size() == 1);
  CHECK(changes.added[0].place == object_place::inline_value);
  CHECK(changes.added[0].size_bytes == 4);
  CHECK(take().empty());
}

TEST_CASE_FIXTURE(idle_node, "an entry that dies unannounced is taken back, in any order") {
  auto first = node.put(1);
  auto second = node.put(2);
  auto third = node.put(3);
  first = {};
  third = {};
  auto changes = take();
  REQUIRE(changes.added.size() == 1);
  CHECK(changes.added[0].sequence == second.id().sequence);
  CHECK(changes.removed.empty());
  second = {};
  CHECK(take().removed.size() == 1);
}

TEST_CASE_FIXTURE(idle_node, "an announcement says whether the value refers to others") {
  auto plain = node.put(1);
  CHECK(take().added.at(0).content == object_content::plain);
  auto container = node.put(folder{{plain}});
  CHECK(take().added.at(0).content == object_content::references);
  container = {};
  CHECK(take().removed.size() == 1);
}

TEST_CASE_FIXTURE(idle_node, "an entry can be looked at until its stripe is closed") {
  auto ref = node.put(1);
  int looks = 0;
  auto look = [&](const object_entry&) {
    ++looks;
  };
  stripe.look_at(ref.entry(), look);
  stripe.close();
  stripe.look_at(ref.entry(), look);
  CHECK(looks == 1);
}

TEST_CASE_FIXTURE(idle_node, "a seal is told only of an entry that was announced pending") {
  auto early = node.make_promise<int>();
  early.set_value(1);
  auto changes = take();
  CHECK(changes.added.front().place == object_place::inline_value);
  CHECK(changes.sealed.empty());
  auto late = node.make_promise<int>();
  CHECK(take().added.front().place == object_place::pending);
  late.set_value(2);
  auto sealed = take().sealed;
  REQUIRE(sealed.size() == 1);
  CHECK(sealed[0].place == object_place::inline_value);
}

TEST_CASE_FIXTURE(idle_node, "sequence numbers are never given twice and name their stripe") {
  auto first = stripe.enlist();
  auto second = stripe.enlist();
  CHECK(first != second);
  CHECK(first % entry_stripe::count == second % entry_stripe::count);
  stripe.delist(0);
  stripe.delist(0);
}

TEST_CASE_FIXTURE(idle_node, "a closed stripe frees what it is given at once") {
  auto ref = node.put(1);
  auto kept = node.put(2);
  node.shutdown();
  CHECK(stripe.live() == 2);
  ref = {};
  CHECK(stripe.live() == 1);
  CHECK(stripe.waiting() == 0);
}

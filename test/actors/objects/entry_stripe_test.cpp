// What a stripe tells its owner of entries that are made, sealed and dropped in any order, and what
// leaves the process heap. The services do not run unless a case says so.

#include "mobula/actors/objects/entry_stripe.hpp"

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

TEST_CASE_FIXTURE(idle_node, "a stripe that closes tells shards of the values that have ended") {
  auto large = node.put(std::string(300'000, 'x'));
  sim.run();
  large = {};
  stripe.close();
  CHECK(stripe.live() == 1);
  sim.run();
  CHECK(stripe.live() == 0);
  CHECK(node.core().heap().figures().used_bytes == 0);
}

TEST_CASE_FIXTURE(idle_node, "what was decoded of a value that could not leave may leave itself") {
  auto ref = node.put(std::string(16'000, 'x'));
  auto& entry = ref.entry();
  for (auto end : {heap_leave_end::refused, heap_leave_end::pinned, heap_leave_end::kept}) {
    REQUIRE(stripe.order().take_victim(heap_content::value));
    CHECK(node.get(ref)->size() == 16'000);
    CHECK_FALSE(stripe.order().take_victim(heap_content::decoded));
    stripe.order().leave_ended(entry, heap_content::value, end);
    CHECK(stripe.order().take_victim(heap_content::decoded));
    CHECK(entry.copy()->drop_decoded());
    stripe.order().leave_ended(entry, heap_content::decoded, heap_leave_end::left);
    entry.copy()->pins.touch(use_stamp{});
    stripe.order().retry_refused();
    stripe.order().back_in_heap(entry);
  }
}

TEST_CASE_FIXTURE(idle_node, "what is decoded anew while the former leaves may leave, too") {
  auto ref = node.put(std::string(16'000, 'x'));
  auto& entry = ref.entry();
  CHECK(node.get(ref)->size() == 16'000);
  REQUIRE(stripe.order().take_victim(heap_content::decoded));
  CHECK(entry.copy()->drop_decoded());
  CHECK(node.get(ref)->size() == 16'000);
  stripe.order().leave_ended(entry, heap_content::decoded, heap_leave_end::left);
  CHECK(stripe.order().take_victim(heap_content::decoded));
  stripe.order().leave_ended(entry, heap_content::decoded, heap_leave_end::pinned);
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

// What references across nodes cost, in messages.

#include <vector>

#include <doctest/doctest.h>

#include "large_cluster.hpp"

using namespace mobula;
using namespace mobula::test;

namespace {

constexpr auto owner = large_cluster::owner;
constexpr auto borrower = large_cluster::borrower;
constexpr auto second_borrower = large_cluster::second_borrower;

} // namespace

TEST_CASE("ten thousand references from their owner cost one batch and one confirmation") {
  large_cluster cluster{2};
  cluster.send(owner, borrower, cluster.make_objects(10'000));
  cluster.settle();
  CHECK(cluster.node(borrower).tables().borrows().stats().borrows == 10'000);
  CHECK(cluster.node(owner).tables().transits().stats().open == 0);
  CHECK(cluster.sent<borrow_references>() == 1);
  CHECK(cluster.sent<references_confirmed>() == 1);
  CHECK(cluster.messages() == 2);
  cluster.node(borrower).drop_all();
  cluster.settle();
  CHECK(cluster.sent<return_references>() == 1);
  cluster.finish();
}

TEST_CASE("ten thousand references from a borrower cost one more message, to that borrower") {
  large_cluster cluster{3};
  auto objects = cluster.make_objects(10'000);
  cluster.send(owner, borrower, objects);
  cluster.settle();
  auto before = cluster.messages();
  cluster.send(borrower, second_borrower, objects);
  cluster.settle();
  CHECK(cluster.node(borrower).tables().transits().stats().open == 0);
  CHECK(cluster.messages() - before == 3);
  CHECK(cluster.sent<transits_ended>() == 1);
  cluster.finish();
}

TEST_CASE("ten thousand times the same reference cost as much as ten thousand references") {
  large_cluster cluster{2};
  auto object = cluster.make_objects(1).front();
  cluster.send(owner, borrower, std::vector(10'000, object));
  cluster.settle();
  cluster.node(borrower).drop_all();
  cluster.settle();
  CHECK(cluster.messages() == 3);
  CHECK(cluster.node(owner).tables().exports().empty());
  cluster.finish();
}

TEST_CASE("a borrow costs as many messages in a large cluster as in a small one") {
  for (std::size_t nodes : {2, 10, 100, 1'000}) {
    CAPTURE(nodes);
    CHECK(messages_a_borrow(nodes) == 3);
  }
}

TEST_CASE(
  "a borrow that is handed on costs as many messages in a large cluster as in a small one") {
  for (std::size_t nodes : {3, 10, 100, 1'000}) {
    CAPTURE(nodes);
    CHECK(messages_a_handed_on_borrow(nodes) == 4);
  }
}

TEST_CASE("only a transit that outlives the lease costs a barrier for each session") {
  large_cluster cluster{100};
  cluster.send(owner, borrower, cluster.make_objects(1), receiver::gone);
  cluster.finish();
  CHECK(cluster.sent<pass_barrier>() == 99);
  CHECK(cluster.sent<barrier_passed>() == 99);
}

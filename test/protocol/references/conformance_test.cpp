// Ray's tests of its reference counter (reference_counter_test.cc) as far as they are about
// references between processes, in our terms. A task that is submitted with a reference is a user
// message that carries it; its worker is the receiving node; its reply is a message back, or a
// value that the caller reads (conformance_values_test.cpp). Each runs without any delay and under
// 200 random schedules, and ends with every table of every node empty.
//
// | Ray's test                              | here                                             |
// |-----------------------------------------|--------------------------------------------------|
// | TestBasic                               | local counts are those of entries; what crosses  |
// |                                         | nodes: first and second case below               |
// | TestUnreconstructableObjectOutOfScope,  | no meaning: there is no lineage count here       |
// | all of LineageEnabled                   |                                                  |
// | TestReferenceStats, …Limit, Spilled,    | no meaning: call sites, sizes and places are the |
// | LocalityData, PlasmaLocation, Counters  | owner's and the store's business                 |
// | TestOwnerAddress                        | an id names its owner: "goes to the owner"       |
// | MemoryStoreIntegrationTest.TestSimple   | test/runtime                                     |
// | TestNoBorrow … TestReturnBorrowedIdChain| below and in conformance_values_test.cpp,        |
// |                                         | under their names                                |
// | TestFree                                | no meaning: freeing drops the value and leaves   |
// |                                         | every reference as it is                         |
// | TestOwnDynamicStreamingTaskReturnRef    | no meaning: no generators                        |
// | TestAddNestedObjectIdsIdempotency       | there; nesting is a handle, reading tells once   |
// | the reply's table of borrowers, waits   | no meaning: each borrower tells the owner itself,|
// | for removal that come early or late     | so nothing is merged and nobody subscribes       |

#include <doctest/doctest.h>

#include "conformance_stage.hpp"

using namespace mobula;
using namespace mobula::test;

TEST_CASE("TestBasic: an object whose references never leave its node needs no message") {
  under_all_schedules([](stage& on) {
    auto object = on.create(owner);
    on.node(owner).copy(object);
    on.drop(owner, object);
    CHECK(on.exists(object));
    on.drop(owner, object);
    CHECK_FALSE(on.exists(object));
    CHECK(on.messages() == 0);
  });
}

TEST_CASE("TestBasic: an object goes when neither a reference nor a message with one is left") {
  under_all_schedules([](stage& on) {
    auto object = on.create(owner);
    on.send(owner, borrower, {object});
    on.node(owner).drop(object);
    CHECK(on.exists(object));
    on.settle_until([&] { return on.node(borrower).holds(object) > 0; });
    on.node(borrower).drop(object);
    on.expect_freed(object);
  });
}

TEST_CASE("TestOwnerAddress: a borrow goes to the owner, whoever sent the reference") {
  under_all_schedules([](stage& on) {
    auto object = on.create(owner);
    on.give(owner, borrower, {object});
    on.give(borrower, second, {object});
    on.settle();
    CHECK(on.node(owner).tables().exports().borrowers_of(object.sequence).size() == 2);
    CHECK(on.node(borrower).tables().exports().empty());
  });
}

TEST_CASE("TestNoBorrow: a borrower that is done before it replies leaves nothing") {
  under_all_schedules([](stage& on) {
    auto object = on.create(owner);
    on.give(owner, borrower, {object});
    on.drop(borrower, object);
    on.expect_kept(object);
    on.drop_last(owner, object);
  });
}

TEST_CASE("TestSimpleBorrower: the owner holds on until the borrower has let go") {
  under_all_schedules([](stage& on) {
    auto object = on.create(owner);
    on.hand_over(owner, borrower, object);
    on.expect_kept(object);
    on.drop_last(borrower, object);
  });
}

TEST_CASE("TestSimpleBorrowerFailure: the owner lets go of what a dead borrower held") {
  under_all_schedules(
    [](stage& on) {
      auto object = on.create(owner);
      on.hand_over(owner, borrower, object);
      on.expect_kept(object);
      on.crash(borrower);
      on.expect_freed(object);
    },
    failures::expected);
}

TEST_CASE("TestSimpleBorrowerReferenceRemoved: a reference dropped before the owner knew of it") {
  under_all_schedules([](stage& on) {
    auto object = on.create(owner);
    on.send(owner, borrower, {object});
    on.node(owner).drop(object);
    on.settle_until([&] { return on.node(borrower).holds(object) > 0; });
    // In the same turn, so that the owner hears of both at once.
    on.node(borrower).drop(object);
    on.expect_freed(object);
  });
}

TEST_CASE("TestBorrowerTree: a borrower hands on and does not wait") {
  under_all_schedules([](stage& on) {
    auto object = on.create(owner);
    on.give(owner, borrower, {object});
    on.node(owner).drop(object);
    on.send(borrower, second, {object});
    on.node(borrower).drop(object);
    on.settle_until([&] { return on.node(second).holds(object) > 0; });
    on.expect_kept(object);
    on.drop_last(second, object);
  });
}

TEST_CASE("TestBorrowerPingPong: a reference comes home and goes out again") {
  under_all_schedules([](stage& on) {
    auto object = on.create(owner);
    on.hand_over(owner, borrower, object);
    on.hand_over(borrower, owner, object);
    on.expect_kept(object);
    CHECK(on.node(owner).holds(object) == 1);
    CHECK_FALSE(on.node(owner).has_failed(object));
    on.hand_over(owner, borrower, object);
    on.expect_kept(object);
    on.drop_last(borrower, object);
  });
}

TEST_CASE("TestDuplicateBorrower: the same node borrows through two messages") {
  under_all_schedules([](stage& on) {
    auto object = on.create(owner);
    on.give(owner, borrower, {object});
    on.give(owner, borrower, {object, object});
    on.drop(owner, object);
    on.drop(borrower, object);
    on.drop(borrower, object);
    on.expect_kept(object);
    on.drop_last(borrower, object);
  });
}

// Ray's scenarios in which a reference is found in a value: nested in an object that was passed on,
// or in what a task returned. The table at the top of conformance_test.cpp says which are here.

#include <doctest/doctest.h>

#include "conformance_stage.hpp"

using namespace mobula;
using namespace mobula::test;

TEST_CASE("TestNestedObjectNoBorrow: a nested reference is read and dropped") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(owner);
    auto outer = on.wrap(owner, inner);
    on.give(owner, borrower, {outer});
    on.read(borrower, outer, inner);
    on.drop(borrower, inner);
    on.expect_kept(inner);
    on.drop(borrower, outer);
    on.drop_last(owner, outer);
    on.expect_freed(inner);
  });
}

TEST_CASE("TestNestedObject: the innermost reference outlives what it was found in") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(owner);
    auto middle = on.create(owner, {inner});
    auto outer = on.create(owner, {middle});
    on.drop(owner, inner);
    on.drop(owner, middle);
    on.hand_over(owner, borrower, outer);
    on.read(borrower, outer, middle);
    on.drop(borrower, outer);
    on.read(borrower, middle, inner);
    on.drop(borrower, middle);
    on.expect_freed(outer);
    on.expect_freed(middle);
    on.expect_kept(inner);
    on.drop_last(borrower, inner);
  });
}

TEST_CASE("TestNestedObjectDifferentOwners: each layer has another owner") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(owner);
    on.hand_over(owner, borrower, inner);
    auto middle = on.wrap(borrower, inner);
    on.hand_over(borrower, second, middle);
    auto outer = on.wrap(second, middle);
    on.hand_over(second, third, outer);
    on.read(third, outer, middle);
    on.drop(third, outer);
    on.read(third, middle, inner);
    on.drop_last(third, middle);
    on.expect_kept(inner);
    on.drop_last(third, inner);
  });
}

TEST_CASE("TestReturnObjectIdNoBorrow: a returned value is dropped without being read") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(borrower);
    auto result = on.wrap(borrower, inner);
    on.hand_over(borrower, owner, result);
    on.expect_kept(inner);
    on.drop_last(owner, result);
    on.expect_freed(inner);
  });
}

TEST_CASE("TestReturnObjectIdBorrow: holding the returned value keeps the inner object alive") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(borrower);
    auto result = on.wrap(borrower, inner);
    on.hand_over(borrower, owner, result);
    on.read(owner, result, inner);
    on.drop_last(owner, result);
    on.expect_kept(inner);
    on.drop_last(owner, inner);
  });
}

TEST_CASE("TestReturnObjectIdBorrowChain: a reference from a returned value goes to another node") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(borrower);
    auto result = on.wrap(borrower, inner);
    on.hand_over(borrower, owner, result);
    on.read(owner, result, inner);
    on.hand_over(owner, second, inner);
    on.drop_last(owner, result);
    on.expect_kept(inner);
    on.drop_last(second, inner);
  });
}

TEST_CASE("TestReturnBorrowedId: a borrower returns a value around what it borrowed") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(borrower);
    on.hand_over(borrower, second, inner);
    auto result = on.wrap(second, inner);
    on.hand_over(second, owner, result);
    on.expect_kept(inner);
    on.drop_last(owner, result);
    on.expect_freed(inner);
  });
}

TEST_CASE("TestReturnBorrowedIdDeserialize: the caller reads such a value") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(borrower);
    on.hand_over(borrower, second, inner);
    auto result = on.wrap(second, inner);
    on.hand_over(second, owner, result);
    on.read(owner, result, inner);
    on.drop_last(owner, result);
    on.expect_kept(inner);
    on.drop_last(owner, inner);
  });
}

TEST_CASE("TestReturnIdChain: a returned value holds another returned value") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(second);
    auto nested = on.wrap(second, inner);
    on.hand_over(second, borrower, nested);
    auto result = on.wrap(borrower, nested);
    on.hand_over(borrower, owner, result);
    on.expect_kept(inner);
    on.drop_last(owner, result);
    on.expect_freed(nested);
    on.expect_freed(inner);
  });
}

TEST_CASE("TestReturnBorrowedIdChain: a borrowed reference is returned through two nodes") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(owner);
    on.hand_over(owner, borrower, inner);
    auto first = on.wrap(borrower, inner);
    on.hand_over(borrower, second, first);
    on.read(second, first, inner);
    on.drop(second, first);
    auto result = on.wrap(second, inner);
    on.hand_over(second, owner, result);
    on.read(owner, result, inner);
    on.drop_last(owner, result);
    CHECK_FALSE(on.node(owner).has_failed(inner));
    on.expect_kept(inner);
    on.drop_last(owner, inner);
  });
}

TEST_CASE("TestAddNestedObjectIdsIdempotency: reading a value again tells no owner again") {
  under_all_schedules([](stage& on) {
    auto inner = on.create(owner);
    auto outer = on.create(owner, {inner, inner});
    on.drop(owner, inner);
    on.give(owner, borrower, {outer});
    on.read(borrower, outer, inner);
    on.read(borrower, outer, inner);
    on.settle();
    CHECK(on.node(owner).tables().exports().borrowers_of(inner.sequence).front().second == 1);
    on.drop(owner, outer);
    on.drop_last(borrower, outer);
    on.expect_kept(inner);
  });
}

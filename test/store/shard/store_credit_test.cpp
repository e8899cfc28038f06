// What creators take without asking: all of it and no more, at a pace or at none.

#include "mobula/store/shard/store_credit.hpp"

#include <doctest/doctest.h>

using namespace mobula;

namespace {

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;

struct front_fixture {
  store_credit credit;
  shard_backlog backlog;

  bool take(std::uint64_t bytes, creator_pace pace = creator_pace::bounded) {
    return credit.take(bytes, backlog, pace);
  }
};

} // namespace

TEST_CASE_FIXTURE(front_fixture, "credit is taken to the last byte") {
  credit.add(10);
  CHECK_FALSE(take(11));
  CHECK(take(10));
  CHECK_FALSE(take(1));
  credit.add(1);
  CHECK(take(1));
}

TEST_CASE_FIXTURE(front_fixture, "credit that is taken back is gone") {
  credit.add(10);
  CHECK(credit.take_all() == 10);
  CHECK(credit.available() == 0);
  CHECK_FALSE(take(1));
}

TEST_CASE_FIXTURE(front_fixture, "a creator that keeps a pace is sixteen mebibytes ahead at most") {
  credit.add(100 * mebibyte);
  for (int count = 0; count < 16; ++count)
    CHECK(take(mebibyte));
  CHECK_FALSE(take(mebibyte));
  CHECK(take(mebibyte, creator_pace::unbounded));
  backlog.settle(2 * mebibyte);
  CHECK(take(mebibyte));
  CHECK_FALSE(take(1));
}

TEST_CASE_FIXTURE(front_fixture, "a creator of large objects is four of them ahead at most") {
  credit.add(100 * mebibyte);
  for (int count = 0; count < 4; ++count)
    CHECK(take(10 * mebibyte));
  CHECK_FALSE(take(10 * mebibyte));
}

TEST_CASE_FIXTURE(front_fixture, "what could not be taken puts nobody ahead") {
  credit.add(1);
  CHECK_FALSE(take(16 * mebibyte));
  CHECK(backlog.has_space_for(16 * mebibyte));
}

// What a watch of one object calls, and what is left of it when it has ended.

#include "mobula/actors/objects/entry_watch.hpp"

#include <memory>

#include <doctest/doctest.h>

#include <mobula/testing.hpp>

using namespace mobula;

namespace {

/// A node, and a watch of an object of it that is not there yet.
struct watched_promise {
  testing::simulation sim;
  mobula::node& node = sim.add_node();
  mobula::promise<int> promise = node.make_promise<int>();
  std::shared_ptr<int> calls = std::make_shared<int>(0);
  entry_watch watch{promise.ref().handle(), [calls = calls] {
                      ++*calls;
                    }};
};

} // namespace

TEST_CASE_FIXTURE(watched_promise, "a watch tells once that its object is there") {
  CHECK(*calls == 0);
  promise.set_value(1);
  CHECK(*calls == 1);
  static_cast<void>(watch.end());
  CHECK(*calls == 1);
}

TEST_CASE_FIXTURE(watched_promise, "a watch that has ended tells nobody") {
  static_cast<void>(watch.end());
  promise.set_value(1);
  CHECK(*calls == 0);
}

TEST_CASE_FIXTURE(watched_promise, "nothing looks at the object of a watch that has ended") {
  promise.set_value(1);
  static_cast<void>(watch.end());
  // The group is gone with what it would call: its destructor would cancel it once more.
  CHECK(calls.use_count() == 1);
  auto object = watch.take_entry();
  CHECK(object.get() == &promise.ref().entry());
}

// Objects that are made later: set once, or broken.

#include "one_node.hpp"

using namespace mobula;

namespace {

struct knot {
  ObjectRef<knot> itself;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(itself);
  }
};

} // namespace

TEST_CASE_FIXTURE(one_node, "a promise's reference is pending until it is set") {
  auto promise = node.make_promise<std::string>();
  auto ref = promise.ref();
  CHECK_FALSE(ref.ready());
  CHECK(node.stats().pending_objects == 1);
  promise.set_value("done");
  CHECK(ref.ready());
  CHECK(node.stats().pending_objects == 0);
  CHECK(node.get(ref).copy() == "done");
}

TEST_CASE_FIXTURE(one_node, "a promise takes a large value") {
  auto promise = node.make_promise<std::string>();
  promise.set_value(std::string(500'000, 'x'));
  CHECK(node.get(promise.ref())->size() == 500'000);
  CHECK(node.stats().stored.objects == 1);
}

TEST_CASE_FIXTURE(one_node, "a promise is set once") {
  auto promise = node.make_promise<int>();
  promise.set_value(1);
  CHECK(error_of([&] { promise.set_value(2); }) == error_type::already_set);
  CHECK(error_of([&] { promise.set_error({.type = error_type::worker_died}); })
        == error_type::already_set);
  CHECK(*node.get(promise.ref()) == 1);
}

TEST_CASE_FIXTURE(one_node, "a promise is not set to an error that has no name") {
  auto promise = node.make_promise<int>();
  for (unsigned number : {2U, 255U, 65535U})
    CHECK(error_of([&] { promise.set_error({.type = static_cast<error_type>(number)}); })
          == error_type::invalid_argument);
  promise.set_value(1);
  CHECK(*node.get(promise.ref()) == 1);
}

TEST_CASE_FIXTURE(one_node, "a promise that is dropped unset becomes an error") {
  ObjectRef<int> ref;
  {
    auto promise = node.make_promise<int>();
    ref = promise.ref();
  }
  CHECK(error_of([&] { node.get(ref); }) == error_type::promise_broken);
}

TEST_CASE_FIXTURE(one_node, "a promise that is assigned over becomes an error") {
  auto promise = node.make_promise<int>();
  auto ref = promise.ref();
  promise = node.make_promise<int>();
  CHECK(error_of([&] { node.get(ref); }) == error_type::promise_broken);
  promise.set_value(1);
}

TEST_CASE_FIXTURE(one_node, "a moved-from promise breaks nothing") {
  auto promise = node.make_promise<int>();
  auto moved = std::move(promise);
  CHECK(error_of([&] { promise.set_value(1); }) == error_type::invalid_reference);
  moved.set_value(2);
  CHECK(*node.get(moved.ref()) == 2);
}

TEST_CASE_FIXTURE(one_node, "a promise can be set to the exception being handled") {
  auto promise = node.make_promise<int>();
  try {
    throw std::out_of_range("too far");
  } catch (...) {
    promise.set_current_exception("lookup");
  }
  try {
    node.get(promise.ref());
    FAIL("there is no value");
  } catch (const object_error& error) {
    CHECK(error.type() == error_type::task_execution_exception);
    CHECK(error.info().exception_type == "std::out_of_range");
    CHECK(error.info().origin.task == "lookup");
    CHECK(error.info().message.find("too far") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(one_node, "a promise whose references are all gone can still be set") {
  auto promise = node.make_promise<int>();
  sim.run();
  promise.set_value(1);
}

TEST_CASE_FIXTURE(one_node, "an error counts as one failed object") {
  auto promise = node.make_promise<int>();
  promise.set_error({.type = error_type::worker_died, .message = "gone"});
  CHECK(node.stats().failed_objects == 1);
  CHECK(promise.ref().ready());
}

TEST_CASE_FIXTURE(one_node, "a value that refers to its own object is refused") {
  auto promise = node.make_promise<knot>();
  knot value;
  value.itself = promise.ref();
  CHECK(error_of([&] { promise.set_value(value); }) == error_type::invalid_argument);
  promise.set_value(knot{});
}

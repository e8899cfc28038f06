#pragma once

#include <doctest/doctest.h>

#include <mobula/mobula.hpp>
#include <mobula/testing.hpp>

namespace mobula {

/// One simulated node. At the end of a test, nothing may be left on it.
struct one_node {
  testing::simulation sim;
  mobula::node& node = sim.add_node();

  ~one_node() {
    sim.check_invariants();
    CHECK(sim.leftovers() == "");
  }
};

/// Calls `f` and returns the type of the `object_error` that it throws.
template <class F>
error_type error_of(F&& f) {
  try {
    f();
  } catch (const object_error& error) {
    return error.type();
  }
  FAIL("no object_error was thrown");
  return {};
}

/// Calls `f` and returns the message of the `object_error` that it throws.
template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const object_error& error) {
    return error.info().message;
  }
  FAIL("no object_error was thrown");
  return {};
}

} // namespace mobula

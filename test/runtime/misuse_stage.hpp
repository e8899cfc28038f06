#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "one_node.hpp"

namespace mobula::test {

/// One of each public object, of a node of its own, and another node beside it.
struct stage {
  testing::simulation sim;
  mobula::node* node = &sim.add_node();
  mobula::node* other = &sim.add_node();
  ObjectRef<std::string> ref = node->put(std::string(300'000, 'x'));
  ObjectRef<std::string> foreign = other->put("of another node");
  view<std::string> seen = node->get(ref);
  promise<std::string> open = node->make_promise<std::string>();
  std::optional<object_builder<bytes>> builder;
  std::optional<cluster> place;
  outcome<std::string> result = node->get_all(std::vector{ref}).front();

  stage() {
    builder.emplace(node->core(), array_shape{300'000}, call_site::here());
    place.emplace(*node);
  }

  ~stage() {
    builder.reset();
    place.reset();
  }
};

struct step {
  const char* name;
  std::function<void(stage&)> run;
};

/// States that objects get into. The node is still there in all but the last.
inline const std::vector<step> states{
  {"fresh",
   [](stage&) {
   }},
  {"moved from",
   [](stage& on) {
     [[maybe_unused]] auto ref = std::move(on.ref);
     [[maybe_unused]] auto seen = std::move(on.seen);
     [[maybe_unused]] auto open = std::move(on.open);
     [[maybe_unused]] auto result = std::move(on.result);
   }},
  {"used up",
   [](stage& on) {
     on.open.set_value("set");
     static_cast<void>(on.builder->seal());
     on.place->leave();
   }},
  {"pending",
   [](stage& on) {
     on.ref = on.open.ref();
     on.result = {};
   }},
  {"failed",
   [](stage& on) {
     on.open.set_error({.type = error_type::object_lost, .message = "lost"});
     on.ref = on.open.ref();
     on.result = error_info{.type = error_type::object_lost, .message = "lost"};
   }},
  {"freed",
   [](stage& on) {
     on.node->free(on.ref);
   }},
  {"with another node's references",
   [](stage& on) {
     on.ref = on.foreign;
   }},
  {"connected",
   [](stage& on) {
     on.sim.connect(*on.node, *on.other);
   }},
  {"after the node's shutdown",
   [](stage& on) {
     on.node->shutdown();
   }},
  {"after a service has died",
   [](stage& on) {
     caf::anon_send_exit(on.node->core().owner(), caf::exit_reason::kill);
     on.sim.run();
   }},
  {"after the node's end",
   [](stage& on) {
     on.sim.remove_node(*on.node);
     on.node = nullptr;
   }},
};

} // namespace mobula::test

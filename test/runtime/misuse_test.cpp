// Every public operation in every state that its object can be in, twice: it works, or it is an
// `object_error` that says why not. Nothing aborts, hangs, or throws anything else.

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <cereal/types/vector.hpp>

#include "misuse_stage.hpp"

using namespace mobula;
using namespace mobula::test;
using namespace std::literals;

namespace {

/// What needs no node, or has one of its own.
const std::vector<step> operations{
  {"read a view",
   [](stage& on) {
     static_cast<void>((*on.seen).size() + on.seen->size());
   }},
  {"read a view's bytes",
   [](stage& on) {
     static_cast<void>(on.seen.size_bytes() + on.seen.raw_bytes().size());
   }},
  {"copy a view",
   [](stage& on) {
     static_cast<void>(view<std::string>{on.seen});
   }},
  {"assign a view",
   [](stage& on) {
     on.seen = view<std::string>{on.seen};
   }},
  {"ask a reference",
   [](stage& on) {
     static_cast<void>(on.ref.id());
     static_cast<void>(to_string(on.ref));
     static_cast<void>(on.ref.ready());
     static_cast<void>(on.ref.owner());
     static_cast<void>(on.ref.stored_type());
   }},
  {"convert a reference",
   [](stage& on) {
     static_cast<void>(ObjectRef<void>{on.ref}.as<int>());
   }},
  {"get a promise's reference",
   [](stage& on) {
     static_cast<void>(on.open.ref().ready());
   }},
  {"set a promise",
   [](stage& on) {
     on.open.set_value("value");
   }},
  {"set a promise to a large value",
   [](stage& on) {
     on.open.set_value(std::string(300'000, 'p'));
   }},
  {"set a promise to an error",
   [](stage& on) {
     on.open.set_error({.message = "why"});
   }},
  {"set a promise to no exception",
   [](stage& on) {
     on.open.set_current_exception();
   }},
  {"drop a promise",
   [](stage& on) {
     static_cast<void>(promise<std::string>{std::move(on.open)});
   }},
  {"fill a builder",
   [](stage& on) {
     on.builder->elements()[0] = std::byte{1};
   }},
  {"ask a builder",
   [](stage& on) {
     static_cast<void>(on.builder->size());
   }},
  {"seal a builder",
   [](stage& on) {
     static_cast<void>(on.builder->seal());
   }},
  {"drop a builder",
   [](stage& on) {
     on.builder.emplace(on.other->core(), array_shape{1}, call_site::here());
   }},
  {"use an outcome",
   [](stage& on) {
     static_cast<void>(on.result.pending());
     static_cast<void>(on.result->size());
   }},
  {"ask an outcome for its error",
   [](stage& on) {
     static_cast<void>(on.result.error());
   }},
  {"get in another node",
   [](stage& on) {
     static_cast<void>(on.other->get(on.ref, 1s));
   }},
  {"try_get in another node",
   [](stage& on) {
     static_cast<void>(on.other->try_get(on.ref, 1s));
   }},
  {"put a reference in another node",
   [](stage& on) {
     static_cast<void>(on.other->put(std::vector{on.ref}));
   }},
  {"free by another node",
   [](stage& on) {
     on.other->free(on.ref);
   }},
  {"publish by another node",
   [](stage& on) {
     on.other->publish("name", on.ref);
   }},
  {"read in an actor",
   [](stage& on) {
     on.sim.system().spawn([ref = on.ref](caf::event_based_actor* self) {
       get(self, ref, 1s).then([](const view<std::string>&) {});
     });
     on.sim.run();
   }},
  {"wait in an actor that ends",
   [](stage& on) {
     on.sim.system().spawn([ref = on.open.ref()](caf::event_based_actor* self) {
       get(self, ref).then([](const view<std::string>&) {});
       self->quit();
     });
     on.sim.run();
   }},
  {"ask a cluster",
   [](stage& on) {
     static_cast<void>(on.place->port());
     static_cast<void>(on.place->members());
   }},
  {"listen",
   [](stage& on) {
     on.place->listen("127.0.0.1", 0);
   }},
  {"join",
   [](stage& on) {
     on.place->join("127.0.0.1", 1);
   }},
  {"follow options",
   [](stage& on) {
     on.place->follow_options();
   }},
  {"watch",
   [](stage& on) {
     on.place->watch([](const member_event&) {});
   }},
  {"watch with nothing",
   [](stage& on) {
     on.place->watch(nullptr);
   }},
  {"leave",
   [](stage& on) {
     on.place->leave();
   }},
  {"end a cluster",
   [](stage& on) {
     on.place.emplace(*on.other);
   }},
  {"look for what is left",
   [](stage& on) {
     static_cast<void>(on.sim.leftovers());
   }},
};

/// What is called of the node itself.
const std::vector<step> node_operations{
  {"put",
   [](stage& on) {
     static_cast<void>(on.node->put(1));
   }},
  {"put a large value",
   [](stage& on) {
     static_cast<void>(on.node->put(std::string(200'000, 'y')));
   }},
  {"put a reference",
   [](stage& on) {
     static_cast<void>(on.node->put(std::vector{on.ref}));
   }},
  {"put another node's reference",
   [](stage& on) {
     static_cast<void>(on.node->put(std::vector{on.foreign}));
   }},
  {"create",
   [](stage& on) {
     static_cast<void>(on.node->create<bytes>(200'000).seal());
   }},
  {"make a promise",
   [](stage& on) {
     static_cast<void>(on.node->make_promise<int>());
   }},
  {"get",
   [](stage& on) {
     static_cast<void>(on.node->get(on.ref, 1s));
   }},
  {"get with a bad limit",
   [](stage& on) {
     static_cast<void>(on.node->get(on.ref, -1s));
   }},
  {"get all",
   [](stage& on) {
     static_cast<void>(on.node->get_all(std::vector{on.ref, on.foreign}, 1s));
   }},
  {"wait",
   [](stage& on) {
     static_cast<void>(on.node->wait(std::vector{on.ref}, 1, 1s));
   }},
  {"wait for too many",
   [](stage& on) {
     static_cast<void>(on.node->wait(std::vector{on.ref}, 2, 1s));
   }},
  {"free",
   [](stage& on) {
     on.node->free(on.ref);
   }},
  {"publish",
   [](stage& on) {
     on.node->publish("name", on.ref);
   }},
  {"publish no actor",
   [](stage& on) {
     on.node->publish("name", caf::actor{});
   }},
  {"unpublish",
   [](stage& on) {
     on.node->unpublish("name");
   }},
  {"look up",
   [](stage& on) {
     static_cast<void>(on.node->lookup<int>("name", 1s));
   }},
  {"look an actor up",
   [](stage& on) {
     static_cast<void>(on.node->lookup_actor("name", 1s));
   }},
  {"ask for figures",
   [](stage& on) {
     static_cast<void>(on.node->stats());
   }},
  {"drain",
   [](stage& on) {
     static_cast<void>(on.node->drain(1s));
   }},
  {"shut down",
   [](stage& on) {
     on.node->shutdown();
   }},
  {"make a second cluster",
   [](stage& on) {
     cluster{*on.node}.listen("127.0.0.1", 0);
   }},
  {"connect",
   [](stage& on) {
     on.sim.connect(*on.node, *on.other);
   }},
  {"connect to itself",
   [](stage& on) {
     on.sim.connect(*on.node, *on.node);
   }},
  {"cut",
   [](stage& on) {
     on.sim.cut(*on.node, *on.other);
   }},
  {"heal",
   [](stage& on) {
     on.sim.heal(*on.node, *on.other);
   }},
  {"take a handle across",
   [](stage& on) {
     static_cast<void>(on.sim.remote(*on.node, *on.other, caf::actor{}));
   }},
};

/// Other exceptions fail the test, and what aborts ends it.
void check_harmless(stage& on, const step& operation) {
  CAPTURE(operation.name);
  try {
    operation.run(on);
  } catch (const object_error& error) {
    CHECK_FALSE(error.info().message.empty());
  }
  on.sim.run();
}

void check_all(const std::vector<step>& tried, const step& state) {
  CAPTURE(state.name);
  for (const auto& operation : tried) {
    stage on;
    state.run(on);
    check_harmless(on, operation);
    check_harmless(on, operation);
  }
}

} // namespace

TEST_CASE("no operation does harm in any state of its object") {
  for (const auto& state : states)
    check_all(operations, state);
}

TEST_CASE("no operation of a node does harm in any state of it") {
  for (const auto& state : states)
    if (state.name != "after the node's end"sv)
      check_all(node_operations, state);
}

TEST_CASE("no operation does harm after any others, in any turn") {
  auto all = operations;
  all.insert(all.end(), node_operations.begin(), node_operations.end());
  for (std::size_t turn = 0; turn < all.size(); ++turn) {
    std::rotate(all.begin(), all.begin() + 1, all.end());
    CAPTURE(all.front().name);
    stage on;
    for (const auto& operation : all)
      check_harmless(on, operation);
  }
}

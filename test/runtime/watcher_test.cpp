// Functions that watch a cluster's members: what they may do, and what they hold up.

#include "two_nodes.hpp"

#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace mobula;
using namespace mobula::test;

TEST_CASE_FIXTURE(two_nodes, "a watcher that throws ends nothing, and is called again") {
  int calls = 0;
  first_place->listen("127.0.0.1", 0);
  first_place->watch([&](const member_event&) {
    ++calls;
    throw std::runtime_error{"no"};
  });
  second_place->join("127.0.0.1", first_place->port());
  CHECK(first_place->members().size() == 1);
  second_place->leave();
  while (!first_place->members().empty())
    std::this_thread::yield();
  CHECK(calls == 2);
  first->shutdown();
}

TEST_CASE_FIXTURE(two_nodes, "a watcher that would wait for its node's actors is told not to") {
  meet();
  const std::vector<std::function<void()>> calls{
    [&] { static_cast<void>(first_place->members()); },
    [&] { first_place->join("127.0.0.1", second_place->port()); },
    [&] { first_place->leave(); },
    [&] { static_cast<void>(first->stats()); },
    [&] { static_cast<void>(first->drain(std::chrono::seconds{1})); },
    [&] { static_cast<void>(first->lookup<int>("name")); },
    [&] { first->publish("name", first->put(1)); },
    [&] { first->unpublish("name"); },
    [&] { first->shutdown(); },
  };
  std::promise<std::vector<error_type>> seen;
  first_place->watch([&](const member_event& event) {
    if (event.left)
      return;
    std::vector<error_type> types;
    for (const auto& call : calls)
      types.push_back(type_of(call));
    seen.set_value(types);
  });
  CHECK(seen.get_future().get()
        == std::vector<error_type>(calls.size(), error_type::invalid_argument));
  CHECK(first_place->members().size() == 1);
}

TEST_CASE_FIXTURE(two_nodes, "questions to a node's membership count as messages that it handled") {
  first_place->listen("127.0.0.1", 0);
  auto before = first->stats().messages;
  static_cast<void>(first_place->members());
  CHECK(first->stats().messages > before);
}

namespace {

/// Two nodes that have met, and a watcher that holds up an actor of the first for as long as the
/// test takes.
struct held_up_node : two_nodes {
  struct hold {
    std::atomic<bool> used = false;
    std::promise<void> entered;
    std::promise<void> released;
  };

  std::shared_ptr<hold> held = std::make_shared<hold>();

  held_up_node() {
    meet();
    first_place->watch([held = held](const member_event&) {
      if (held->used.exchange(true))
        return;
      held->entered.set_value();
      held->released.get_future().wait();
    });
    held->entered.get_future().wait();
  }

  ~held_up_node() {
    held->released.set_value();
  }
};

} // namespace

TEST_CASE_FIXTURE(held_up_node, "a limit holds though the actor that should keep it is held up") {
  auto limit = std::chrono::milliseconds{100};
  std::thread asker{[&] {
    CHECK(type_of([&] { static_cast<void>(first->lookup<int>("name", limit)); })
          == error_type::get_timed_out);
  }};
  CHECK(type_of([&] { static_cast<void>(first->drain(limit)); }) == error_type::get_timed_out);
  asker.join();
}

TEST_CASE_FIXTURE(held_up_node,
                  "who waits for an actor that is held up goes on when its node ends") {
  const std::vector<std::function<void()>> questions{
    [&] { CHECK(first->stats().owned.objects == 0); },
    [&] { CHECK(first_place->members().empty()); },
    [&] {
      CHECK(type_of([&] { first_place->join("127.0.0.1", second_place->port()); })
            == error_type::shutting_down);
    },
    [&] {
      CHECK(type_of([&] { static_cast<void>(first->drain(std::nullopt)); })
            == error_type::shutting_down);
    },
  };
  std::latch about_to_ask{static_cast<std::ptrdiff_t>(questions.size())};
  std::vector<std::thread> askers;
  for (const auto& question : questions)
    askers.emplace_back([&] {
      about_to_ask.count_down();
      question();
    });
  about_to_ask.wait();
  // It waits some seconds for the actor; who asks too late even for that gets the same answers.
  first->shutdown();
  for (auto& asker : askers)
    asker.join();
}

TEST_CASE_FIXTURE(two_nodes, "a lookup does not wait for a publisher that is held up") {
  meet();
  first->publish("name", first->put(1));
  CHECK(*second->get(second->lookup<int>("name", std::chrono::minutes{1})) == 1);
  std::promise<void> entered;
  std::promise<void> released;
  first_place->watch([&](const member_event& event) {
    if (event.left)
      return;
    entered.set_value();
    released.get_future().wait();
  });
  entered.get_future().wait();
  std::string text;
  try {
    static_cast<void>(second->lookup<int>("name"));
  } catch (const object_error& error) {
    CHECK(error.type() == error_type::name_not_found);
    text = error.info().message;
  }
  CHECK(text.find("which publishes \"name\", did not answer") != std::string::npos);
  released.set_value();
}

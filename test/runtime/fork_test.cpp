// Children that are forked without exec have a copy of their parent's nodes, which they can neither
// use nor harm. Real forks of a process with threads.

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "../temporary_directory.hpp"
#include <cereal/types/vector.hpp>

#include "one_node.hpp"

using namespace mobula;

namespace {

/// Longer than anything here takes: a child that hangs is killed by this.
constexpr unsigned patience_seconds = 60;

/// Runs `f` in a child, and returns what it returned there.
template <class F>
int in_child(F&& f) {
  auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::alarm(patience_seconds);
    int result = 250;
    try {
      result = f();
    } catch (...) {
      result = 251;
    }
    ::_exit(result);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

/// Returns whether `f` is refused since the node is another process's.
template <class F>
bool is_refused(F&& f) {
  try {
    f();
  } catch (const object_error& error) {
    return error.type() == error_type::invalid_argument
           && error.info().message.find("forked") != std::string::npos;
  }
  return false;
}

std::string block(char letter) {
  return std::string(300'000, letter);
}

/// A node on real threads, with files of its own.
struct forking_node {
  test::temporary_directory directory;
  config settings;
  std::optional<caf::actor_system> system;
  std::optional<mobula::node> node;

  forking_node() {
    settings.set("mobula.store-size", std::string{"16MiB"});
    settings.set("mobula.spill-dirs", std::vector<std::string>{directory.path().string()});
    system.emplace(settings);
    node.emplace(*system);
  }

  /// What the node has left in the file systems, arena included.
  [[nodiscard]] std::size_t files() const {
    std::size_t result = std::filesystem::exists(node->core().arena().path()) ? 1 : 0;
    for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator{directory.path()})
      ++result;
    return result;
  }
};

/// Ends after main, if a child calls `exit`.
std::unique_ptr<node> node_of_a_static;

} // namespace

TEST_CASE_FIXTURE(forking_node, "a put in a forked child writes nothing over its parent's values") {
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::alarm(patience_seconds);
    char byte = 0;
    auto told = ::read(ready[0], &byte, 1);
    ::_exit(told == 1 && is_refused([&] { static_cast<void>(node->put(block('c'))); }) ? 0 : 1);
  }
  // Where the child's copy of the heap says that nothing is.
  auto ref = node->put(block('p'));
  REQUIRE(::write(ready[1], "x", 1) == 1);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(node->get(ref).copy() == block('p'));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE_FIXTURE(forking_node, "every use of a node in a forked child is an error") {
  auto ref = node->put(block('x'));
  auto small = node->put(1);
  auto open = node->make_promise<int>();
  auto builder = node->create<array<int>>(100'000);
  std::vector<std::pair<const char*, std::function<void()>>> uses{
    {"put",
     [&] {
       static_cast<void>(node->put(1));
     }},
    {"create",
     [&] {
       static_cast<void>(node->create<bytes>(1));
     }},
    {"make_promise",
     [&] {
       static_cast<void>(node->make_promise<int>());
     }},
    {"get",
     [&] {
       static_cast<void>(node->get(ref));
     }},
    {"get of a small value",
     [&] {
       static_cast<void>(node->get(small));
     }},
    {"try_get",
     [&] {
       static_cast<void>(node->try_get(ref));
     }},
    {"get_all",
     [&] {
       static_cast<void>(node->get_all(std::vector{ref}));
     }},
    {"wait",
     [&] {
       static_cast<void>(node->wait(std::vector{ref}, 1));
     }},
    {"free",
     [&] {
       node->free(ref);
     }},
    {"publish",
     [&] {
       node->publish("name", ref);
     }},
    {"unpublish",
     [&] {
       node->unpublish("name");
     }},
    {"lookup",
     [&] {
       static_cast<void>(node->lookup<int>("name"));
     }},
    {"stats",
     [&] {
       static_cast<void>(node->stats());
     }},
    {"drain",
     [&] {
       static_cast<void>(node->drain(std::chrono::seconds{1}));
     }},
    {"shutdown",
     [&] {
       node->shutdown();
     }},
    {"set_value",
     [&] {
       open.set_value(1);
     }},
    {"set_error",
     [&] {
       open.set_error({});
     }},
    {"elements",
     [&] {
       static_cast<void>(builder.elements());
     }},
    {"seal",
     [&] {
       static_cast<void>(builder.seal());
     }},
    {"listen",
     [&] {
       cluster{*node}.listen("127.0.0.1", 0);
     }},
    {"join",
     [&] {
       cluster{*node}.join("127.0.0.1", 1);
     }},
    {"port",
     [&] {
       static_cast<void>(cluster{*node}.port());
     }},
    {"members",
     [&] {
       static_cast<void>(cluster{*node}.members());
     }},
  };
  for (std::size_t index = 0; index < uses.size(); ++index) {
    CAPTURE(uses[index].first);
    CHECK(in_child([&] { return is_refused(uses[index].second) ? 0 : 1; }) == 0);
  }
  open.set_value(1);
  CHECK(*node->get(open.ref()) == 1);
  CHECK(builder.seal().ready());
}

TEST_CASE_FIXTURE(forking_node, "a forked child ends its copies of everything, and nothing else") {
  auto before = files();
  auto ref = std::make_optional(node->put(block('x')));
  auto seen = std::make_optional(node->get(*ref));
  auto open = std::make_optional(node->make_promise<int>());
  std::optional<object_builder<bytes>> builder;
  builder.emplace(node->core(), array_shape{300'000}, call_site::here());
  CHECK(in_child([&] {
          builder.reset();
          open.reset();
          seen.reset();
          ref.reset();
          node.reset();
          return 0;
        })
        == 0);
  CHECK(files() == before);
  CHECK(**seen == block('x'));
  CHECK_FALSE(open->ref().ready());
  CHECK(builder->seal().ready());
  CHECK(*node->get(node->put(2)) == 2);
}

TEST_CASE_FIXTURE(forking_node, "a forked child may call exit with nodes in static objects") {
  node_of_a_static = std::make_unique<mobula::node>(*system);
  auto before = files();
  CHECK(in_child([]() -> int { std::exit(7); }) == 7);
  CHECK(files() == before);
  CHECK(*node_of_a_static->get(node_of_a_static->put(1)) == 1);
  node_of_a_static.reset();
}

TEST_CASE_FIXTURE(forking_node, "a forked child ends whatever its parent's threads held") {
  std::atomic<bool> stop = false;
  std::vector<ObjectRef<int>> shared;
  for (int number = 0; number < 64; ++number)
    shared.push_back(node->put(number));
  std::vector<std::thread> users;
  for (int user = 0; user < 3; ++user)
    users.emplace_back([&, size = static_cast<std::size_t>(user) * 90'000] {
      while (!stop)
        node->get(node->put(std::string(size, 'x')));
    });
  for (int child = 0; child < 40; ++child)
    CHECK(in_child([&] {
            shared.clear();
            node.reset();
            return 0;
          })
          == 0);
  stop = true;
  for (auto& user : users)
    user.join();
  CHECK(*node->get(shared.back()) == 63);
}

TEST_CASE_FIXTURE(forking_node, "a forked child may start a node of its own") {
  CHECK(in_child([] {
          config own;
          own.set("mobula.store-size", std::string{"16MiB"});
          caf::actor_system fresh{own};
          mobula::node child{fresh};
          return child.get(child.put(block('x')))->size() == 300'000 ? 0 : 1;
        })
        == 0);
}

TEST_CASE_FIXTURE(forking_node, "a forked child's own node takes no reference of its parent's") {
  auto ref = node->put(1);
  CHECK(in_child([&] {
          config own;
          own.set("mobula.store-size", std::string{"16MiB"});
          caf::actor_system fresh{own};
          mobula::node child{fresh};
          return is_refused([&] { static_cast<void>(child.put(std::vector{ref})); }) ? 0 : 1;
        })
        == 0);
}

// References in one process: what they cost, when the owner hears of them, and that they may
// outlive their node.

#include "one_node.hpp"

#include <thread>
#include <unordered_set>

#include <caf/binary_serializer.hpp>

using namespace mobula;

namespace {

/// A message of an application.
struct job {
  std::string name;
  ObjectRef<std::string> input;
};
MOBULA_MESSAGE(job, name, input)

} // namespace

TEST_CASE("a reference is as small as a pointer") {
  CHECK(sizeof(ObjectRef<int>) == sizeof(void*));
  CHECK(sizeof(ObjectRef<void>) == sizeof(void*));
}

TEST_CASE("empty references can be compared, hashed and printed") {
  ObjectRef<int> empty;
  CHECK(empty == ObjectRef<int>{});
  CHECK(to_string(empty) == "ObjectRef()");
  CHECK(std::hash<ObjectRef<int>>{}(empty) == std::hash<ObjectRef<int>>{}(ObjectRef<int>{}));
  CHECK(empty.id().empty());
}

TEST_CASE_FIXTURE(one_node, "references are equal if they refer to the same object") {
  auto first = node.put(1);
  auto copy = first;
  auto other = node.put(1);
  CHECK(first == copy);
  CHECK(first != other);
  CHECK(ObjectRef<void>{first} == ObjectRef<void>{copy});
  CHECK(std::unordered_set<ObjectRef<int>>{first, copy, other}.size() == 2);
}

TEST_CASE_FIXTURE(one_node, "a reference prints the id of its object") {
  auto ref = node.put(1);
  CHECK(to_string(ref) == "ObjectRef(" + to_string(ref.id()) + ")");
  CHECK(ref.owner() == node.incarnation());
}

TEST_CASE_FIXTURE(one_node, "copies within a node cost no message") {
  auto ref = node.put(1);
  sim.run();
  auto before = node.stats().messages;
  {
    std::vector<ObjectRef<int>> copies(1000, ref);
    CHECK(ref.handle()->handles() == 1001);
  }
  CHECK(node.stats().messages == before);
}

TEST_CASE_FIXTURE(one_node, "the first and the last reference reach the owner as messages") {
  auto ref = node.put(1);
  CHECK(node.stats().references_added == 1);
  CHECK(node.stats().owned.objects == 1);
  ref = {};
  CHECK(node.stats().references_removed == 1);
  CHECK(node.stats().owned.objects == 0);
}

TEST_CASE_FIXTURE(one_node, "many references share few messages") {
  std::vector<ObjectRef<int>> refs;
  for (int value = 0; value < 1000; ++value)
    refs.push_back(node.put(value));
  CHECK(node.stats().messages < 10);
  CHECK(node.stats().references == 1000);
}

TEST_CASE_FIXTURE(one_node, "an object that dies before its owner hears of it costs it nothing") {
  for (int value = 0; value < 1000; ++value)
    CHECK(*node.get(node.put(value)) == value);
  CHECK(node.stats().references_added == 0);
}

TEST_CASE_FIXTURE(one_node, "a reference travels in any message within a node") {
  std::string seen;
  auto reader = sim.system().spawn([&](caf::event_based_actor* self) {
    return caf::behavior{[&, self](const job& x) {
      get(self, x.input).then([&seen, name = x.name](const view<std::string>& text) {
        seen = name + ": " + *text;
      });
    }};
  });
  caf::anon_send(reader, job{"length", node.put("a text")});
  sim.run();
  CHECK(seen == "length: a text");
  caf::anon_send_exit(reader, caf::exit_reason::user_shutdown);
}

TEST_CASE_FIXTURE(one_node, "a reference in a message that nobody receives is given back") {
  auto sink = sim.system().spawn([](caf::event_based_actor* self) {
    return caf::behavior{[self](int) {
      self->quit();
    }};
  });
  caf::anon_send(sink, 1);
  caf::anon_send(sink, job{"late", node.put("a text")});
  sink = nullptr;
}

TEST_CASE_FIXTURE(one_node, "printing a message shows its references and takes none") {
  auto ref = node.put("a text");
  auto message = caf::make_message(job{"print", ref});
  auto handles = ref.handle()->handles();
  CHECK(to_string(message).find(to_string(ref.id())) != std::string::npos);
  CHECK(ref.handle()->handles() == handles);
}

TEST_CASE_FIXTURE(one_node, "a reference refuses to leave its process") {
  job sent{"send", node.put("a text")};
  std::vector<char> buffer;
  caf::binary_serializer sink{sim.system(), buffer};
  CHECK(to_error_info(sink(sent)).type == error_type::reference_not_portable);
}

TEST_CASE("references may be dropped after their node, in any place") {
  static ObjectRef<int> in_static;
  ObjectRef<int> small;
  ObjectRef<std::string> large;
  {
    testing::simulation sim;
    auto& node = sim.add_node();
    in_static = node.put(1);
    small = node.put(2);
    large = node.put(std::string(200'000, 'x'));
    sim.run();
  }
  CHECK(small.ready());
  std::thread{[dropped = std::move(large)]() mutable {
    dropped = {};
  }}.join();
}

TEST_CASE("two nodes in one system keep their objects apart") {
  testing::simulation sim;
  auto& first = sim.add_node();
  auto& second = sim.add_node();
  auto from_first = first.put(1);
  auto from_second = second.put(1);
  CHECK(from_first.owner() != from_second.owner());
  CHECK(first.stats().owned.objects == 1);
  CHECK(second.stats().owned.objects == 1);
  CHECK(*second.get(from_first) == 1);
}

TEST_CASE("equal seeds give equal ids") {
  auto id_of_first_object = [](std::uint64_t seed) {
    testing::simulation sim{seed};
    return sim.add_node().put(1).id();
  };
  CHECK(id_of_first_object(5).owner == id_of_first_object(5).owner);
  CHECK(id_of_first_object(5).owner != id_of_first_object(6).owner);
}
